"""A clip, or a film of many parts: the first part is animated, each later one is given the end of the one before it.

Shape legend: latents float32 [1, C, S, h, w]; frames uint8 [t, H, W, 3].
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from engines.context import RunContext
from engines.image_animation.methods import Animation, animate
from engines.image_animation.picture import Plan
from engines.long_video.chained import make_chain
from engines.long_video.film import Film, Progress
from engines.long_video.finished import FinishedChunks
from engines.sampling.guidance import ClassifierFree, Guidance, Unguided
from engines.sampling.loop import Step


def animate_film(animation: Animation, plan: Plan, store: FinishedChunks, context: RunContext, message: str) -> Tensor:
    """The latents of all parts, float32 [1, C, S, h, w] on the CPU; what is finished is not made again.

    Raises: Cancelled or Paused; ResourceError for a full disk.
    """
    total = animation.steps * len(plan.chunks.chunks)

    def first_part(step: Step) -> None:
        context.step("denoising", step.interval + 1, total, message=_said(message, 0, plan))

    def later_part(progress: Progress) -> None:
        context.step("denoising", progress.done, progress.total, message=_said(message, progress.chunk or 0, plan))

    if store.read(0) is None:
        within = plan.chunks.chunks[0].frames
        early = {number: picture for number, picture in animation.keyframes.items() if number < within}
        store.write(0, animate(replace(animation, keyframes=early, on_step=first_part)))
        if len(plan.chunks.chunks) > 1:
            context.at_chunk_border()
    guidance = _guidance(animation)
    film = Film(
        animation.family,
        replace(plan.geometry, frames=plan.chunks.padded_frames, latent_frames=plan.chunks.film_slots),
        plan.geometry.latent_frames, plan.chunks, lambda slots: guidance, animation.steps, animation.seed,
        on_progress=later_part, at_border=context.at_chunk_border,
    )  # fmt: skip
    film.keyframes = {number: animation.family.encode(picture[None]) for number, picture in animation.keyframes.items()}
    return make_chain(film, store)


def _guidance(animation: Animation) -> Guidance:  # type: ignore[type-arg]
    if animation.guidance_scale == 1:
        return Unguided(animation.said)
    return ClassifierFree(animation.said, animation.empty, animation.guidance_scale)


def _said(message: str, chunk: int, plan: Plan) -> str:
    count = len(plan.chunks.chunks)
    return " ".join([*([message] if message else []), *([f"Part {chunk + 1} of {count}."] if count > 1 else [])])
