"""A take that is longer than the model's window: planned without torch, made by engines.long_video.

Shapes: latents float32 [1, C, S, h, w]; frames uint8 [t, H, W, 3].
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engines.backend.catalogue import ModelCard
from engines.backend.geometry import LatentGeometry, plan_geometry
from engines.context import RunContext
from engines.long_video.choice import chosen_method, longest_at_once, plan_film, window_frames
from engines.long_video.chunk_plan import ChunkPlan
from engines.long_video.drift import DriftMeter, matched
from engines.long_video.methods import AT_ONCE, BY_CHUNK, LongMethod, make_film, refuse_at_once
from engines.text_to_video.request import TextToVideoRequest

if TYPE_CHECKING:
    from torch import Tensor

    from engines.backend.families.base import Family, Frames
    from engines.long_video.film import Film, Progress
    from engines.text_to_video.render import Prompts, Take


@dataclass(frozen=True)
class FilmPlan:
    """How a long take is made.

    Attributes:
        window: Geometry of what is with the model at once.
        film: Geometry of the whole, filled-up frames included.
    """

    method: LongMethod
    chunks: ChunkPlan
    window: LatentGeometry
    film: LatentGeometry

    def sentences(self, request: TextToVideoRequest) -> list[str]:
        """What will happen, for a person."""
        said = [self.chunks.sentence()]
        if request.step_cache != "off" and self.method not in BY_CHUNK:
            said.append(f"With “{self.method}” nothing is reused: steps are reused only within parts made one by one.")
        return said


def plan_long(request: TextToVideoRequest, card: ModelCard) -> FilmPlan | None:
    """None for a take that is made at once, as one that fits the model's window is.

    Raises: InvalidRequest, LimitExceeded or NotAvailable, each with its field.
    """
    if request.frames <= longest_at_once(card):
        return None
    method = chosen_method(request.long_method, card)
    if method == "at once":
        return None
    ratio = card.facts.temporal_compression
    most = window_frames(card)
    chunks = plan_film(method, request.frames, most, request.overlap, ratio)
    window = plan_geometry(card, request.height, request.width, most, request.fps)
    film = replace(window, frames=chunks.padded_frames, latent_frames=chunks.film_slots)
    refuse_at_once(method, film.tokens, card.facts.max_tokens, card.title)
    return FilmPlan(method, chunks, film if method in AT_ONCE else window, film)


def make_film_take(
    family: Family,
    request: TextToVideoRequest,
    plan: FilmPlan,
    prompts: Prompts,
    seed: int,
    context: RunContext,
    message: str = "",
) -> Take:
    """Samples the film with progress, previews and cancel at every step; finished chunks are taken up again.

    Raises: Cancelled or Paused; ResourceError for a full disk.
    """
    from engines.backend.fingerprint import fingerprint
    from engines.long_video.film import Film
    from engines.sampling.schedules import make_schedule
    from engines.text_to_video.render import Take, guidance_of, solver_name

    levels = make_schedule(request.schedule, request.steps, plan.window.tokens, dict(family.scheduler_config))
    guidance = guidance_of(request, prompts, levels)
    film = Film(
        family, plan.film, plan.window.latent_frames, plan.chunks, lambda slots: guidance, request.steps, seed,
        solver_name(request, family), request.schedule, request.step_cache, at_border=context.at_chunk_border,
    )  # fmt: skip
    film.on_progress = _Watch(film, request.preview_every, context, message)
    decisive = {
        **request.model_dump(mode="json", exclude={"seed", "takes", "output_format", "preview_every"}),
        "seed": seed,
        "fingerprint": fingerprint(family.dtype, family.device),
    }
    started = time.perf_counter()
    latents = make_film(plan.method, film, context.work_folder, decisive)
    return Take(latents, film.evaluations, time.perf_counter() - started)


class _Watch:
    """Reports each step; now and then with a look at what it makes."""

    def __init__(self, film: Film, preview_every: int, context: RunContext, message: str) -> None:
        self._film, self._every, self._context, self._message = film, preview_every, context, message

    def __call__(self, progress: Progress) -> None:
        preview = None
        if self._every and progress.done % self._every == 0 and progress.done < progress.total:
            preview = self._film.family.preview(self._film.latents(progress.estimate))
        said = [self._message] if self._message else []
        if progress.chunk is not None and len(self._film.plan.chunks) > 1:
            said.append(f"Part {progress.chunk + 1} of {len(self._film.plan.chunks)}.")
        self._context.step("denoising", progress.done, progress.total, preview, " ".join(said))


def film_frames(
    family: Family, latents: Tensor, plan: FilmPlan, meter: DriftMeter, keep_colours: bool
) -> Iterator[Frames]:
    """The film's frames chunk by chunk, without what was filled up; the meter sees each.

    Args:
        keep_colours: Whether each chunk's colours are brought to the first one's.
    """
    import numpy as np

    from engines.long_video.decoding import decoded_film

    waiting: list[Frames] = []
    parts = decoded_film(family, latents)
    for chunk in plan.chunks.chunks:
        while sum(len(part) for part in waiting) < len(chunk.made):
            waiting.append(next(parts))
        frames = np.concatenate(waiting)
        own, waiting = frames[: len(chunk.made)], [frames[len(chunk.made) :]]
        if keep_colours and chunk.index:
            own = matched(own, meter.anchor)
        meter.add(own)
        yield own
