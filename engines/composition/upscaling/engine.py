"""The chain behind the Upscale tab: decode → upscale → interpolate → encode, one job, one file.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from fractions import Fraction

from engines.composition.upscaling.request import SAME, UpscaleChainRequest
from engines.context import RunContext
from engines.errors import InvalidRequest
from engines.footage.video import VideoFootage
from engines.interpolation.engine import InterpolationEngine, check_weights
from engines.interpolation.source import check_frames, times_as_many
from engines.super_resolution.check import open_source
from engines.super_resolution.engine import SuperResolutionEngine
from engines.task import Result

NAME = "upscaled"


class UpscaleChainEngine:
    """Super-resolution and interpolation, one after the other. Both networks are kept between runs."""

    def __init__(self) -> None:
        self._larger = SuperResolutionEngine()
        self._smoother = InterpolationEngine()

    def check(self, request: UpscaleChainRequest) -> list[str]:
        """Warnings. Raises: InvalidRequest, MediaError, LimitExceeded or NotAvailable."""
        said = self._larger.check(request)
        if request.rate != SAME:
            check_weights()
            source = open_source(request)
            if _result_fps(request, source) < source.fps:
                said.append(
                    f"The video has {float(source.fps):g} frames per second already; some of them will be left out."
                )
        return said

    def run(self, request: UpscaleChainRequest, context: RunContext) -> Result:
        """See `render_job`. Raises: UserError, Cancelled or Paused."""
        if request.rate == SAME:
            return self._larger.run(request, context)
        from engines.footage.rendered_task import FootageJob, export_output, export_path, render_job
        from engines.interpolation.interpolated import Rate

        started = time.perf_counter()
        warnings = self.check(request)
        source = open_source(request)
        fps = _result_fps(request, source)
        path = export_path(request, context.work_folder, NAME, fps)
        context.step("loading", 0, 1)
        larger = self._larger.stage(request, source)
        chain = self._smoother.stage(larger, Rate(fps))
        context.step("loading", 1, 1)
        record = self._larger.record(request)
        record = record.model_copy(update={"model": {**record.model, "interpolation": self._smoother.model()}})
        output = export_output(request, path, record, source.audio())
        return render_job(FootageJob(chain, output, larger.device, warnings), context, started)


def _result_fps(request: UpscaleChainRequest, source: VideoFootage) -> Fraction:
    """Raises: InvalidRequest for a single picture, LimitExceeded for too many frames."""
    if source.count < 2:
        raise InvalidRequest(
            f"“{request.video.name}” has one frame, and there is nothing between one frame.",
            f"Choose rate “{SAME}”, or a video with at least two frames.",
            "rate",
        )
    fps = times_as_many(request.rate, source.fps)
    check_frames(int(source.count / source.fps * fps), "Choose an earlier out point or a lower rate.")
    return fps


ENGINE = UpscaleChainEngine
