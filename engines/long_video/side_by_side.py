"""All windows of a film go through the steps together; where they overlap they are averaged, or cut at random places.

Averaged: Bar-Tal et al. 2023 (MultiDiffusion, arXiv:2302.08113), the baseline of paper row 60. Cut: StreamingT2V's
randomised blending (paper row 64): at every step each border lies somewhere else in the overlap, so that no seam stays.
Averages lower the noise's variance where windows overlap; cuts do not.

One window is with the model at a time; of the whole film there are only tokens.
Shape legend: S slots of the film, s of a window, P cells of a slot, N = S·P tokens, D channels of a token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from engines.long_video.chunk_plan import ChunkPlan
from engines.long_video.film import Film, Progress
from engines.long_video.finished import KeptSteps
from engines.sampling.loop import Step, Velocity, sample
from engines.sampling.site import Site
from engines.sampling.solvers import make_solver

Shares = Callable[[Site], list[Tensor]]  # of each window, float32 [s]; over all windows a slot has 1


def averaged(plan: ChunkPlan) -> Shares:
    """Linear ramps across every overlap, at every step the same."""
    weights = [torch.tensor(plan.weights(chunk.index, "slots")) for chunk in plan.chunks]
    return lambda at: weights


def cut_at_random(plan: ChunkPlan, seed: int) -> Shares:
    """Of every overlap the first r slots are the earlier window's, the rest the later one's; r anew at each step."""

    def shares(at: Site) -> list[Tensor]:
        generator = torch.Generator().manual_seed((seed * 1_000_003 + at.interval) % 2**63)
        begins = [0]
        for before, after in zip(plan.chunks, plan.chunks[1:], strict=False):
            shared = before.first_slot + before.slots - after.first_slot
            cut = after.first_slot + int(torch.randint(0, shared + 1, (), generator=generator))
            begins.append(max(begins[-1], cut))
        ends = [*begins[1:], plan.film_slots]
        return [
            torch.tensor([float(begin <= slot < end) for slot in range(c.first_slot, c.first_slot + c.slots)])
            for c, begin, end in zip(plan.chunks, begins, ends, strict=True)
        ]

    return shares


def film_velocity(film: Film, shares: Shares) -> Velocity:
    """The film's velocity out of its windows', for tokens [1, N, D]."""
    windows = [range(chunk.first_slot, chunk.first_slot + chunk.slots) for chunk in film.plan.chunks]
    velocities = [film.velocity(slots, index) for index, slots in enumerate(windows)]

    def joined(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        whole = torch.zeros_like(x)
        for slots, velocity, share in zip(windows, velocities, shares(at), strict=True):
            if not share.any():
                continue
            part = film.tokens_of(slots)
            weight = share.repeat_interleave(film.cells)[None, :, None].to(x)
            whole[:, part] += weight * velocity(x[:, part], sigmas[:, part], at)
        return whole

    return joined


def make_together(film: Film, velocity: Velocity, store: KeptSteps, begun: Tensor, levels: Tensor) -> Tensor:
    """Samples the whole film; after a kill from the last step on.

    Args:
        velocity: Of all the film's tokens.
        begun: Tokens at levels[0], float32 [1, N, D].
        levels: Falling, [steps + 1].

    Returns: latents float32 [1, C, S, h, w] on the CPU.
    """
    begun, held = film.holding_given(begun)
    kept = store.read()
    done, x = (0, begun) if kept is None else (kept[0], kept[1].to(begun))
    if done == len(levels) - 1:
        return film.latents(x).cpu()

    def later(tokens: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        return velocity(tokens, sigmas, replace(at, interval=at.interval + done))

    def keep(step: Step) -> None:
        store.write(done + step.interval + 1, step.x)
        film.on_progress(Progress(done + step.interval + 1, len(levels) - 1, None, step.estimate()))
        film.at_border()

    sigmas = torch.where(held, 0.0, levels[done:, None].to(begun.device))
    with film.family.cached("off", film.steps):
        made = sample(later, x, sigmas, make_solver(film.solver), on_step=keep)
    return film.latents(made).cpu()


def repeated_noise(film: Film, window: int) -> Tensor:
    """FreeNoise (Qiu et al. 2023, arXiv:2310.15169): the first window's noise again and again, its slots shuffled.

    Windows so begin alike, and the film's colours and shapes with them. float32 [1, N, D].
    """
    base = film.noise(window).unflatten(1, (window, film.cells))
    order, generator = list(range(window)), torch.Generator().manual_seed(film.seed)
    while len(order) < film.geometry.latent_frames:
        order += torch.randperm(window, generator=generator).tolist()
    return base[:, order[: film.geometry.latent_frames]].flatten(1, 2)
