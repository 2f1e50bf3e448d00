"""The interpolation engine: open, load the network, render chunk by chunk.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from engines import __version__
from engines.backend.catalogue import PROJECT_ROOT
from engines.context import RunContext
from engines.errors import NotAvailable
from engines.footage.announcements import hdr_warning
from engines.footage.export import suffix, video_format
from engines.interpolation.request import InterpolationRequest
from engines.interpolation.source import check_length, open_source, result_fps
from engines.media.digest import file_digest
from engines.media.metadata import OutputRecord
from engines.media.target import check_target
from engines.task import Result

if TYPE_CHECKING:
    from engines.interpolation.network import FlowNetwork

WEIGHTS = PROJECT_ROOT / "assets" / "models" / "rife" / "flownet.safetensors"
# Frames of the result between two points at which a killed job goes on.
CHUNK_FRAMES = 48


class InterpolationEngine:
    """Footage becomes smoother or slower. The network is kept between runs."""

    def __init__(self) -> None:
        self._loaded: FlowNetwork | None = None

    def check(self, request: InterpolationRequest) -> list[str]:
        """Warnings. Raises: InvalidRequest, MediaError, LimitExceeded or NotAvailable."""
        if not WEIGHTS.is_file():
            raise NotAvailable(
                f"The weights are not on this machine: {WEIGHTS}.",
                "Make them with: python -m engines.interpolation.convert",
            )
        source, video = open_source(request)
        check_length(request, source)
        said = hdr_warning(video)
        if request.second is None and result_fps(request, source) * Fraction(request.slower) < source.fps:
            said.append(
                f"The video has {float(source.fps):g} frames per second already; some of them will be left out."
            )
        return said

    def run(self, request: InterpolationRequest, context: RunContext) -> Result:
        """Renders into context.work_folder; finished chunks of the same request are kept.

        Returns: the video and its still; measurements seconds, seconds_per_frame, frames, width, height, fps, chunks,
            chunks_kept, peak_memory_bytes.
        Raises: UserError, Cancelled or Paused.
        """
        import torch

        from engines.backend.process_memory import peak_memory_bytes
        from engines.footage.rendering import Output, render_footage
        from engines.interpolation.interpolated import Interpolated, Rate

        started = time.perf_counter()
        warnings = self.check(request)
        source, video = open_source(request)
        slower = Fraction(request.slower)
        rate = Rate(result_fps(request, source), slower)
        path = context.work_folder / f"interpolated{suffix(request)}"
        check_target(path, rate.fps, field="codec")
        context.step("loading", 0, 1)
        network = self._network()
        weight = next(network.parameters())
        context.step("loading", 1, 1)
        morph = request.second is not None
        smoother = Interpolated(
            source, network, rate, find_cuts=request.find_cuts and not morph,
            drop_repeats=request.drop_repeats and not morph, confident=request.confident,
        )  # fmt: skip
        record = _record(request, weight.dtype, weight.device)
        output = Output(
            path=path,
            how=video_format(request),
            audio=video.audio(slower) if request.keep_audio and not morph else None,
            record=None if request.strip_metadata else record,
            plan=record.model_dump(mode="json"),
            chunk_frames=CHUNK_FRAMES,
        )
        rendered = render_footage(smoother, output, context)
        measurements = {
            "seconds": time.perf_counter() - started,
            "seconds_per_frame": rendered.seconds_per_frame,
            "frames": float(smoother.count),
            "width": float(smoother.width),
            "height": float(smoother.height),
            "fps": float(smoother.fps),
            "chunks": float(rendered.chunks),
            "chunks_kept": float(rendered.chunks_kept),
            "peak_memory_bytes": float(peak_memory_bytes(torch.device(weight.device))),
        }
        return Result(files=rendered.files, measurements=measurements, warnings=[*warnings, *rendered.warnings])

    def _network(self) -> FlowNetwork:
        from engines.backend.device import select_device
        from engines.interpolation.weights import load_flow_network

        if self._loaded is None:
            # In float32 on every device: eight bits of mantissa place a pixel of a wide frame next to its neighbour.
            self._loaded = load_flow_network(WEIGHTS).to(select_device())
        return self._loaded


def _record(request: InterpolationRequest, dtype: Any, device: Any) -> OutputRecord:
    from engines.backend.fingerprint import fingerprint

    inputs = {"video": request.video, "second": request.second}
    return OutputRecord(
        framewright=__version__,
        request={"task": request.task, **request.model_dump(mode="json")},
        model={"id": "rife-4.0", "sha256": file_digest(WEIGHTS)},
        fingerprint=fingerprint(dtype, device),
        inputs={name: file_digest(path) for name, path in inputs.items() if path is not None},
    )


ENGINE = InterpolationEngine
