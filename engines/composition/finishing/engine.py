"""The text-to-video task with its clips finished: sample → decode → upscale → interpolate → encode.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from engines.composition.finishing.finisher import Finisher
from engines.composition.finishing.request import FinishedTextToVideoRequest
from engines.context import RunContext
from engines.media.formats import VideoFormat, h264, vp9
from engines.media.metadata import read_record, sidecar_of
from engines.task import OutputFile, Result
from engines.text_to_video.engine import TextToVideoEngine
from engines.text_to_video.request import TextToVideoRequest

if TYPE_CHECKING:
    from engines.backend.registry import ModelRegistry

QUALITY = 17
FORMATS: dict[str, VideoFormat] = {"mp4": h264(QUALITY), "webm": vp9(QUALITY)}


class FinishingEngine:
    """Text to video; a small clip is then finished. Models and networks are kept between runs.

    Args:
        models: Loaded models to share; by default the engine makes a registry at its first run.
    """

    def __init__(self, models: ModelRegistry | None = None) -> None:
        self._clips = TextToVideoEngine(models)
        self._finisher = Finisher()

    def check(self, request: FinishedTextToVideoRequest) -> list[str]:
        """Warnings. Raises: InvalidRequest, LimitExceeded or NotAvailable if the request cannot be rendered."""
        said = self._clips.check(_unfinished(request))
        if request.is_finished:
            self._finisher.check()
        return said

    def run(self, request: FinishedTextToVideoRequest, context: RunContext) -> Result:
        """Renders into context.work_folder; what an earlier run of the same request finished there is kept.

        Returns: as TextToVideoEngine. Finished videos stand first, with the clips as the model made them (kind
            "unfinished") and their lossless frames (kind "frames") beside them; frames, width, height and fps are the
            finished ones'.
        Raises: UserError, Cancelled or Paused.
        """
        if not request.is_finished:
            return self._clips.run(_unfinished(request), context)
        # In a folder of their own: what lies in the work folder itself is what was asked for.
        own_context = replace(context, work_folder=context.work_folder / "unfinished")
        made = self._clips.run(_unfinished(request), own_context, keep_frames=True)
        finished, beside, measured = [], [], dict(made.measurements)
        for clip in (file for file in made.files if file.kind == "video"):
            result = self._finished(request, clip, made, context)
            finished += [file.model_copy(update={"seed": clip.seed}) for file in result.files]
            beside += [clip.model_copy(update={"kind": "unfinished"})]
            seconds = measured["seconds"] + result.measurements["seconds"]
            measured |= {**result.measurements, "seconds": seconds}
        beside += [file for file in made.files if file.kind in ("frames", "metadata", "contact_sheet")]
        return Result(files=[*finished, *beside], measurements=measured, warnings=made.warnings)

    def _finished(
        self, request: FinishedTextToVideoRequest, clip: OutputFile, made: Result, context: RunContext
    ) -> Result:
        """One clip: the video, its still and, where the format holds no settings, the file with them."""
        from engines.backend.device import select_device
        from engines.footage.footage import ClipFootage
        from engines.footage.rendered_task import FootageJob, render_job
        from engines.footage.rendering import Output
        from engines.media.clip import Clip
        from engines.media.reader import read_clip

        started = time.perf_counter()
        lossless = next(file.path for file in made.files if file.kind == "frames" and file.seed == clip.seed)
        chain = self._finisher.stage(ClipFootage(Clip(read_clip(lossless).frames, Fraction(request.fps))))
        own = read_record(clip.path)
        asked = {"request": {**own.request, "finish": True}, "frames_sha256": None}
        record = self._finisher.recorded(own.model_copy(update=asked))
        output = Output(
            path=context.work_folder / f"{clip.path.stem}_finished{clip.path.suffix}",
            how=FORMATS.get(request.output_format), audio=None,
            record=record, plan=record.model_dump(mode="json"),
        )  # fmt: skip
        own_folder = context.work_folder / f"finishing_{clip.seed}"
        result = render_job(
            FootageJob(chain, output, select_device()), replace(context, work_folder=own_folder), started
        )
        if sidecar_of(output.path).is_file():
            result.files.append(OutputFile(path=sidecar_of(output.path), kind="metadata"))
        return result


def _unfinished(request: FinishedTextToVideoRequest) -> TextToVideoRequest:
    return TextToVideoRequest(**request.model_dump(exclude={"finish"}))


ENGINE = FinishingEngine
