"""A clip's latents to the noise that the model would make them from, and what that noise is worth.

Shapes: tokens float32 [B, N, D], N = T'·H'·W'; schedules float32 [steps + 1, N].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engines.inversion.solvers import InversionSolver, make_inversion_solver, solver_back
from engines.inversion.velocities import counted, from_first_level
from engines.sampling.loop import Step, Velocity, sample
from engines.sampling.site import Site
from engines.sampling.solvers import Solver


@dataclass(frozen=True)
class Inverted:
    """Where an inversion led.

    Attributes:
        top: The latents at the highest level, [B, N, D].
        sigmas: The schedule of the way back, falling, [steps + 1, N].
        back: The solver of the way back, with what the inversion carried.
        evaluations: How often the velocity was asked.
    """

    top: Tensor
    sigmas: Tensor
    back: Solver
    evaluations: int


def invert(
    velocity: Velocity,
    clean: Tensor,
    sigmas: Tensor,
    solver: InversionSolver = "fireflow",
    noise: Tensor | None = None,
    exact_start: bool = False,
    ask_top: bool = False,
    on_step: Callable[[Step], None] | None = None,
) -> Inverted:
    """Carries a clip up the schedule that sampling comes down.

    Args:
        velocity: Without guidance: with it the way back is another one.
        clean: [B, N, D].
        sigmas: Falling, as for sampling; its first level may lie below 1 (partial inversion).
        noise: [B, N, D]. With it the clip begins at the first level above 0, noised to it, instead of at 0 (see
            `with_first_level`). A clip that has no noise at all lies where the model never was: it is led to
            something with half the spread of noise, from where it comes back, but cannot be edited (docs/LOG.md).
        exact_start: Ask the model at σ = 0, too, where most were never trained; otherwise at the first level above.
        ask_top: Ask once more at the top, where sampling asks first: for hooks that keep what the model sees.
        on_step: As for `sample`.

    Raises: ValueError for levels that rise or stand still for all tokens in a step.
    """
    falls = sigmas[1:] - sigmas[:-1]
    if bool((falls > 0).any()) or not bool((falls < 0).any(dim=1).all()):
        raise ValueError("the schedule must fall with every step")
    asked = [0]

    def count() -> None:
        asked[0] += 1

    rising, there = sigmas.flip(0), make_inversion_solver(solver)
    if noise is not None:
        rising = rising[1:]
        level = rising[0].to(clean)[:, None]
        clean = (1 - level) * clean + level * noise.to(clean)
    steered = velocity if exact_start else from_first_level(velocity, rising[1])
    asking = counted(steered, count)
    top = sample(asking, clean, rising, there, on_step=on_step)
    if ask_top:
        highest = rising[-1].to(top).expand(len(top), -1)
        asking(top, highest, Site(len(rising) - 1, 0, float(highest.max())))
    return Inverted(top, sigmas, solver_back(solver, there), asked[0])


def with_first_level(sigmas: Tensor, level: float) -> Tensor:
    """A falling schedule [steps + 1, N] whose last step is from this level to 0; lower levels are left out.

    Args:
        level: Above 0 and below the schedule's highest. Tokens that stand still stay at 0.

    Raises: ValueError for another level.
    """
    highest = sigmas.amax(1)
    if not 0 < level < float(highest[0]):
        raise ValueError(f"level = {level:g}: above 0 and below {float(highest[0]):g} are allowed")
    first = torch.where(sigmas[0] > 0, level, 0.0).to(sigmas)
    return torch.cat([sigmas[highest > level + 1e-6], first[None], torch.zeros_like(first)[None]])


@dataclass(frozen=True)
class NoiseStatistics:
    """What Gaussian noise has: 0, 1, 0 and 0. An inversion that ends elsewhere comes back, and edits badly."""

    mean: float
    std: float
    excess_kurtosis: float
    neighbour_correlation: float


def noise_statistics(top: Tensor, grid: tuple[int, int, int]) -> NoiseStatistics:
    """Of latents [B, N, D] of a grid T', H', W'; neighbours stand beside or below each other in one slot."""
    values = top.float()
    centred = values - values.mean()
    variance = centred.square().mean().clamp_min(1e-12)
    cells = (centred / variance.sqrt()).unflatten(1, grid)
    pairs = (cells[:, :, 1:] * cells[:, :, :-1], cells[:, :, :, 1:] * cells[:, :, :, :-1])
    products = torch.cat([pair.flatten() for pair in pairs])
    return NoiseStatistics(
        float(values.mean()),
        float(variance.sqrt()),
        float(cells.pow(4).mean() - 3),
        float(products.mean()) if len(products) else 0.0,
    )
