"""Chunk after chunk, each given the end of the one before, and if wanted a look at how the film began.

StreamingT2V (Henschel et al. 2024, arXiv:2403.14773; paper row 64) without its training: the model takes the last slots
of the chunk before as tokens at σ = 0 (their short-term memory), and a slot of the first chunk as a keyframe beside the
window (their appearance anchor). Every finished chunk is on the disk.

Shape legend: S slots of a chunk, P cells of a slot, D channels; latents float32 [1, C, S, h, w].
"""

from __future__ import annotations

import torch
from torch import Tensor

from engines.long_video.chunk_plan import Chunk
from engines.long_video.film import Film, Progress
from engines.long_video.finished import FinishedChunks
from engines.long_video.handover import Handover, contributed, handed_over
from engines.sampling.loop import Step, sample
from engines.sampling.solvers import make_solver


def make_chain(film: Film, store: FinishedChunks, anchored: bool = False, how: Handover = "latents") -> Tensor:
    """The film's latents, float32 [1, C, S, h, w] on the CPU.

    Args:
        anchored: Whether every later chunk sees the film's first slot, too.

    Raises: what film.on_progress and film.at_border raise; chunks that are finished stay on the disk.
    """
    before: Tensor | None = None
    first: Tensor | None = None
    parts = list[Tensor]()
    for chunk in film.plan.chunks:
        latents = store.read(chunk.index)
        if latents is None:
            given = film.given if chunk.index == 0 else None
            if before is not None and chunk.given_slots:
                given = handed_over(film.family, film.plan, chunk.index, before, how)
            latents = make_chunk(film, chunk, given, first if anchored else None)
            store.write(chunk.index, latents)
            film.at_border()
        parts.append(contributed(film.plan, chunk.index, latents))
        before = latents
        first = latents[:, :, :1] if first is None else first
    return torch.cat(parts, dim=2)


def make_chunk(film: Film, chunk: Chunk, given: Tensor | None = None, anchor: Tensor | None = None) -> Tensor:
    """Latents of all the chunk's slots, float32 [1, C, S, h, w] on the CPU.

    Args:
        given: Of its first slots, [1, C, S', h, w]. anchor: Of a slot that it sees as the picture before it.
    """
    slots = range(chunk.first_slot, chunk.first_slot + chunk.slots)
    values = film.noise(chunk.slots, chunk.index)
    held = torch.zeros(values.shape[1], dtype=torch.bool, device=values.device)
    if given is not None:
        known = film.tokens(given)
        values[:, : known.shape[1]] = known
        held[: known.shape[1]] = True
    beside = [(film.place_of(frame), picture) for frame, picture in film.keyframes.items() if _lies_in(chunk, frame)]
    if anchor is not None:
        beside.append((_just_before(film, slots), anchor))
    values = torch.cat([values, *(film.tokens(picture) for _, picture in beside)], dim=1)
    held = torch.cat([held, held.new_ones(len(beside) * film.cells)])
    place = torch.cat([place for place, _ in beside], dim=2) if beside else None
    sigmas = torch.where(held, 0.0, film.levels(chunk.slots)[:, None].to(values.device))
    velocity = film.velocity(slots, chunk.index, place)
    with film.family.cached(film.step_cache, film.steps):
        made = sample(velocity, values, sigmas, make_solver(film.solver), on_step=_Report(film, chunk))
    return film.latents(made[:, : chunk.slots * film.cells]).cpu()


def _lies_in(chunk: Chunk, frame: int) -> bool:
    """Whether a keyframe speaks in a chunk: not where it lies in what the chunk is given."""
    return max(chunk.first_frame, chunk.given.stop) <= frame < chunk.stop


def _just_before(film: Film, slots: range) -> Tensor:
    """Where the anchor stands: a slot before the window, [1, 3, P]; its own time lies beyond what models know."""
    return film.coordinates(range(slots.start - 1, slots.start))


class _Report:
    """Steps of one chunk as steps of the film."""

    def __init__(self, film: Film, chunk: Chunk) -> None:
        self._film, self._chunk = film, chunk

    def __call__(self, step: Step) -> None:
        film = self._film
        done = self._chunk.index * film.steps + step.interval + 1
        estimate = step.estimate()[:, : self._chunk.slots * film.cells]
        film.on_progress(Progress(done, len(film.plan.chunks) * film.steps, self._chunk.index, estimate))
