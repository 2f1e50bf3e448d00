"""One seed becomes frames: at once, or part after part where it is longer than the model's window.

Shapes: frames uint8 [t, H, W, 3].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engines.backend.families.base import Family, Frames
from engines.backend.geometry import LatentGeometry
from engines.context import RunContext
from engines.long_video.drift import DriftMeter
from engines.text_to_video.film import FilmPlan, film_frames, make_film_take
from engines.text_to_video.render import Prompts, sample_take
from engines.text_to_video.request import TextToVideoRequest


@dataclass(frozen=True)
class Made:
    """What was made of a seed.

    Attributes:
        evaluations: Model calls, guidance included.
        seconds: Of denoising.
        length: Frames in all.
        frames: Decoded as they are asked for.
        drift: Of a long film's parts; complete once all frames were asked for.
    """

    evaluations: int
    seconds: float
    length: int
    frames: Iterator[Frames]
    drift: DriftMeter | None = None


def make_take(
    family: Family,
    request: TextToVideoRequest,
    geometry: LatentGeometry,
    film: FilmPlan | None,
    prompts: Prompts,
    seed: int,
    context: RunContext,
    message: str,
) -> Made:
    """Raises: Cancelled; Paused between the parts of a film."""
    if film is None:
        with family.cached(request.step_cache, request.steps):
            take = sample_take(family, request, geometry, prompts, seed, context, message)
        return Made(take.evaluations, take.seconds, geometry.frames, family.decode(take.latents))
    take = make_film_take(family, request, film, prompts, seed, context, message)
    drift = DriftMeter()
    frames = film_frames(family, take.latents, film, drift, request.keep_colours)
    return Made(take.evaluations, take.seconds, request.frames, frames, drift)


def reported(made: Made, context: RunContext, message: str) -> Iterator[Frames]:
    """The decoder's chunks, each reported by the frames that are done; with the last one "writing" opens."""
    done = 0
    context.step("decoding", 0, made.length, message=message)
    for frames in made.frames:
        done += len(frames)
        context.step("decoding", done, made.length, message=message)
        if done == made.length:
            context.step("writing", 0, 1, message=message)
        yield frames


def drift_measured(drift: DriftMeter) -> dict[str, float]:
    """seam_jump, and drift: the largest change of a channel's mean."""
    seam = drift.seam_jump
    said = {"drift": max(chunk.channel_mean for chunk in drift.measured())}
    return said if seam is None else {**said, "seam_jump": seam}
