"""A take is sampled: its latents, and frames of it that can be asked for by number.

Shape legend: latents float32 [1, C, S, h, w]; frames uint8 [H, W, 3].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from torch import Tensor

from engines.backend.families.base import Family, Frames
from engines.backend.fingerprint import fingerprint
from engines.backend.geometry import plan_geometry
from engines.composition.storyboard.pictures import moments_of
from engines.composition.storyboard.request import StoryboardRequest
from engines.composition.storyboard.takes import FilmPlan, Take
from engines.context import RunContext
from engines.footage.footage import Frame
from engines.footage.framing import framed
from engines.image_animation.picture import open_picture
from engines.long_video.chained import make_chain
from engines.long_video.continuous import Said, guidance_by_slots, make_continuous
from engines.long_video.decoding import decoded_slots
from engines.long_video.film import Film, Progress
from engines.long_video.finished import FinishedChunks, KeptSteps
from engines.media.digest import file_digest

PART = 12  # slots that are decoded at once


def sample_take(
    family: Family, request: StoryboardRequest, plan: FilmPlan, take: Take, context: RunContext, done: int
) -> Tensor:
    """The take's latents; what is finished is not made again.

    Args:
        done: Steps of the takes before.

    Raises: Cancelled or Paused; ResourceError for a full disk.
    """
    window = plan_geometry(
        family.card, request.height, request.width, take.chunks.chunks[0].frames, family.card.defaults.fps
    )
    total, message = plan.parts * request.steps, f"Take {take.index + 1} of {len(plan.takes)}."

    def report(progress: Progress) -> None:
        # Side by side, a step is one of all parts.
        parts = len(take.chunks.chunks) if progress.chunk is None else 1
        context.step("denoising", done + progress.done * parts, total, message=message)

    pictures = _pictures(family, request, take, (window.height, window.width))
    film = Film(
        family, replace(window, frames=take.chunks.padded_frames, latent_frames=take.chunks.film_slots),
        window.latent_frames, take.chunks, guidance_by_slots(_said(family, request, take), request.guidance_scale),
        request.steps, (request.seed + take.index) % 2**32, given=pictures.pop(0, None), keyframes=pictures,
        on_progress=report, at_border=context.at_chunk_border,
    )  # fmt: skip
    decisive = {
        "pictures": {frame: file_digest(request.pictures[number - 1]) for frame, number in moments_of(take).items()},
        "scenes": [[scene.prompt, heard.start, heard.stop] for scene, heard in take.scenes],
        "negative": request.negative_prompt, "steps": request.steps, "scale": request.guidance_scale,
        "goes_on": request.goes_on, "seed": film.seed, "size": [request.width, request.height],
        "fingerprint": fingerprint(family.dtype, family.device),
    }  # fmt: skip
    job = context.work_folder, take.chunks, decisive, family.revision
    if take.chunks.order == "forward":
        return make_chain(film, FinishedChunks(*job))
    return make_continuous(film, KeptSteps(*job), share_keys=request.goes_on == "shared keys")


def _pictures(family: Family, request: StoryboardRequest, take: Take, size: tuple[int, int]) -> dict[int, Tensor]:
    """Frame of the take → the picture that stands there, as latents [1, C, 1, h, w]."""
    return {
        frame: family.encode(framed(open_picture(request.pictures[number - 1], "pictures"), *size, "crop")[None])
        for frame, number in moments_of(take).items()
    }


def _said(family: Family, request: StoryboardRequest, take: Take) -> list[Said]:
    negative = None if request.guidance_scale == 1 else family.encode_prompt([request.negative_prompt])
    return [Said(take.slots(heard), family.encode_prompt([scene.prompt]), negative) for scene, heard in take.scenes]


class LatentFootage:
    """Footage that is decoded when it is asked for, always in the same parts.

    Args:
        latents: Of a whole take.
        count: Frames; what the model made beyond them is left out.
    """

    def __init__(self, family: Family, latents: Tensor, count: int) -> None:
        self.count, self.fps = count, Fraction(family.card.defaults.fps)
        cell = family.card.facts.spatial_compression
        self.height, self.width = latents.shape[3] * cell, latents.shape[4] * cell
        self._family, self._latents = family, latents
        self._time = family.card.facts.temporal_compression
        self._part = lru_cache(maxsize=2)(self._decoded)

    def frames(self, wanted: range) -> Iterator[Frame]:
        for number in wanted:
            slot = -(-number // self._time) if number else 0
            part = slot // PART
            first = max(0, (part * PART - 1) * self._time + 1) if part else 0
            yield self._part(part)[number - first]

    def _decoded(self, part: int) -> Frames:
        """Frames of the slots part·PART … part·PART + PART − 1."""
        first = part * PART
        return decoded_slots(self._family, self._latents, range(first, min(first + PART, self._latents.shape[2])))
