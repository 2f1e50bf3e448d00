"""The text-to-video task with its clips finished: sample → decode → upscale → interpolate → encode.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from engines.composition.finishing.request import FinishedTextToVideoRequest
from engines.context import RunContext
from engines.interpolation.engine import InterpolationEngine, check_weights
from engines.media.formats import VideoFormat, h264, vp9
from engines.media.metadata import OutputRecord, read_record, sidecar_of
from engines.super_resolution.engine import SuperResolutionEngine
from engines.super_resolution.request import UpscaleRequest
from engines.task import OutputFile, Result
from engines.text_to_video.engine import TextToVideoEngine
from engines.text_to_video.request import TextToVideoRequest

if TYPE_CHECKING:
    from engines.backend.registry import ModelRegistry
    from engines.footage.footage import Footage

FACTOR = 4
TIMES = 2
# A faster clip is smooth enough, and a GIF can hold no more.
SMOOTH_FPS = 50
# Nearest to the truth on drawn clips without noise; measured in docs/LOG.md.
DETAIL, DENOISE = 0.5, 0.0
QUALITY = 17
FORMATS: dict[str, VideoFormat] = {"mp4": h264(QUALITY), "webm": vp9(QUALITY)}


class FinishingEngine:
    """Text to video; a small clip is then finished. Models and networks are kept between runs.

    Args:
        models: Loaded models to share; by default the engine makes a registry at its first run.
    """

    def __init__(self, models: ModelRegistry | None = None) -> None:
        self._clips = TextToVideoEngine(models)
        self._larger = SuperResolutionEngine()
        self._smoother = InterpolationEngine()

    def check(self, request: FinishedTextToVideoRequest) -> list[str]:
        """Warnings. Raises: InvalidRequest, LimitExceeded or NotAvailable if the request cannot be rendered."""
        said = self._clips.check(_unfinished(request))
        if request.is_finished:
            check_weights()
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
        from engines.footage.footage import ClipFootage
        from engines.footage.rendered_task import FootageJob, render_job
        from engines.footage.rendering import Output
        from engines.interpolation.interpolated import Rate
        from engines.media.clip import Clip
        from engines.media.reader import read_clip

        started = time.perf_counter()
        lossless = next(file.path for file in made.files if file.kind == "frames" and file.seed == clip.seed)
        frames, fps = read_clip(lossless).frames, Fraction(request.fps)
        enlarging = UpscaleRequest(video=lossless, factor=FACTOR, detail=DETAIL, denoise=DENOISE)
        larger = self._larger.stage(enlarging, ClipFootage(Clip(frames, fps)))
        chain: Footage = larger
        if len(frames) > 1 and fps * TIMES <= SMOOTH_FPS:
            # What a model made holds neither cuts nor frames that were drawn twice.
            chain = self._smoother.stage(larger, Rate(fps * TIMES), find_cuts=False, drop_repeats=False)
        record = self._record(request, clip, enlarging)
        output = Output(
            path=context.work_folder / f"{clip.path.stem}_finished{clip.path.suffix}",
            how=FORMATS.get(request.output_format), audio=None,
            record=record, plan=record.model_dump(mode="json"),
        )  # fmt: skip
        own_folder = context.work_folder / f"finishing_{clip.seed}"
        result = render_job(FootageJob(chain, output, larger.device), replace(context, work_folder=own_folder), started)
        if sidecar_of(output.path).is_file():
            result.files.append(OutputFile(path=sidecar_of(output.path), kind="metadata"))
        return result

    def _record(self, request: FinishedTextToVideoRequest, clip: OutputFile, enlarging: UpscaleRequest) -> OutputRecord:
        """The clip's own record, and what finished it."""
        made = read_record(clip.path)
        upscaling = self._larger.record(enlarging)
        weights = {"upscaling": upscaling.model, "interpolation": self._smoother.model()}
        return made.model_copy(
            update={
                "request": {**made.request, "finish": True},
                "model": {**made.model, "finishing": weights},
                "fingerprint": {**made.fingerprint, "finishing_dtype": upscaling.fingerprint["dtype"]},
                "frames_sha256": None,
            }
        )


def _unfinished(request: FinishedTextToVideoRequest) -> TextToVideoRequest:
    return TextToVideoRequest(**request.model_dump(exclude={"finish"}))


ENGINE = FinishingEngine
