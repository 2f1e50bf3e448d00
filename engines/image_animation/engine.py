"""The image-animation engine: a picture and a prompt become a video, or several to pick from.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engines.context import RunContext
from engines.footage.framing import framed
from engines.image_animation.check import check_request
from engines.image_animation.keyframes import keyframes_of
from engines.image_animation.picture import Plan, open_picture, plan_clip
from engines.image_animation.request import ImageAnimationRequest
from engines.media.digest import file_digest
from engines.model_engine import ModelEngine, model_record
from engines.task import Result

if TYPE_CHECKING:
    from engines.backend.families.base import Family, Frames
    from engines.backend.registry import ModelRegistry
    from engines.footage.finishing import Finishing
    from engines.footage.footage import Footage
    from engines.image_animation.methods import Animation

NAME = "animated"


class ImageAnimationEngine(ModelEngine):
    """Animates pictures. Models are kept between runs. See ModelEngine.

    Every take is sampled alone, so that a file's own request (takes = 1, its seed) gives the same frames again.
    """

    def check(self, request: ImageAnimationRequest) -> list[str]:
        """Warnings. Raises: UserError if the request cannot be rendered."""
        return check_request(request, self._catalogue())

    def run(self, request: ImageAnimationRequest, context: RunContext, finishing: Finishing | None = None) -> Result:
        """Renders into context.work_folder; finished parts and takes of the same request are kept.

        Args:
            finishing: What is done with clips before they are written.

        Returns: the videos in the order of their seeds, each with its still; measurements of the last one, see
            `render_job`, seconds of all.
        Raises: UserError, Cancelled or Paused.
        """
        from engines.long_video.finished import forget_chunks

        started = time.perf_counter()
        warnings = self.check(request)
        models = self._registry(context)
        context.step("loading", 0, 1)
        family = models.load(request.model)
        context.step("loading", 1, 1)
        plan = plan_clip(request, open_picture(request.picture, "picture"), family.card)
        animation = _animation(request, plan, family, models, context)
        results = [
            _take(request, index, animation, plan, context, started, finishing) for index in range(request.takes)
        ]
        forget_chunks(context.work_folder)
        files = [file for result in results for file in result.files]
        said = [text for result in results for text in result.warnings]
        return Result(
            files=files, measurements=results[-1].measurements, warnings=list(dict.fromkeys([*warnings, *said]))
        )


def _take(
    request: ImageAnimationRequest, index: int, animation: Animation, plan: Plan, context: RunContext, started: float,
    finishing: Finishing | None,
) -> Result:  # fmt: skip
    from fractions import Fraction

    from engines.footage.footage import ClipFootage
    from engines.footage.rendered_task import FootageJob, export_output, export_path, render_job
    from engines.media.clip import Clip

    family = animation.family
    alone = request.model_copy(update={"seed": request.seed + index, "takes": 1})
    fps = Fraction(family.card.defaults.fps)
    name = NAME if request.takes == 1 else f"{NAME}_{alone.seed}"
    path = export_path(request, context.work_folder, name, fps)
    message = f"Version {index + 1} of {request.takes}." if request.takes > 1 else ""
    frames = _made(replace(animation, seed=alone.seed), plan, alone, context, message)
    clip: Footage = ClipFootage(Clip(frames, fps))
    record = model_record(alone, family, _digests(alone))
    if finishing is not None and finishing.takes(clip.width, clip.height):
        clip, record = finishing.stage(clip), finishing.recorded(record)
    output = export_output(request, path, record, None)
    own = context if request.takes == 1 else replace(context, work_folder=context.work_folder / f"take_{alone.seed}")
    own.work_folder.mkdir(parents=True, exist_ok=True)
    result = render_job(FootageJob(clip, output, family.device), own, started)
    files = [file.model_copy(update={"seed": alone.seed}) for file in result.files]
    return result.model_copy(update={"files": files})


def _animation(
    request: ImageAnimationRequest, plan: Plan, family: Family, models: ModelRegistry, context: RunContext
) -> Animation:
    from engines.image_animation.methods import Animation

    picture = open_picture(request.picture, "picture")
    family.prepare(plan.geometry, 2, models.budget)
    context.step("encoding", 0, 1)
    said, empty = (family.encode_prompt([text]) for text in (request.prompt, ""))
    context.step("encoding", 1, 1)
    size = (plan.geometry.height, plan.geometry.width)
    keyframes = {
        number: framed(open_picture(path, field), *size, request.framing)
        for number, (path, field) in keyframes_of(request, plan.frames, plan.geometry.fps).items()
    }
    return Animation(
        family, plan.geometry, framed(picture, *size, request.framing), keyframes, said, empty, request.method,
        request.movement, request.steps, request.guidance_scale, request.seed,
    )  # fmt: skip


def _made(
    animation: Animation, plan: Plan, request: ImageAnimationRequest, context: RunContext, message: str
) -> Frames:
    import numpy as np

    from engines.backend.fingerprint import fingerprint
    from engines.image_animation.film import animate_film
    from engines.long_video.decoding import decoded_film
    from engines.long_video.finished import FinishedChunks

    family = animation.family
    decisive = {
        **request.model_dump(mode="json", exclude={"picture", "end_picture", "keyframes"}),
        "inputs": _digests(request),
        "fingerprint": fingerprint(family.dtype, family.device),
    }
    store = FinishedChunks(context.work_folder, plan.chunks, decisive, family.revision)
    latents = animate_film(animation, plan, store, context, message)
    context.step("decoding", 0, 1)
    frames = np.concatenate(list(decoded_film(family, latents)))[: plan.frames]
    context.step("decoding", 1, 1)
    return frames


def _digests(request: ImageAnimationRequest) -> dict[str, Any]:
    """Of every picture, by field."""
    given = {"picture": request.picture, "end_picture": request.end_picture}
    found: dict[str, Any] = {name: file_digest(path) for name, path in given.items() if path is not None}
    if request.keyframes:
        found["keyframes"] = [file_digest(path) for path in request.keyframes]
    return found


ENGINE = ImageAnimationEngine
