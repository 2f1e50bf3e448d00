"""The super-resolution engine: open, load the network, render chunk by chunk.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines import __version__
from engines.backend.catalogue import PROJECT_ROOT
from engines.context import RunContext
from engines.errors import NotAvailable
from engines.footage.export import suffix, video_format
from engines.media.digest import file_digest
from engines.media.metadata import OutputRecord
from engines.media.target import check_target
from engines.super_resolution.check import check_request, open_source
from engines.super_resolution.request import UpscaleRequest
from engines.super_resolution.target import target_size
from engines.task import Result

if TYPE_CHECKING:
    from engines.super_resolution.networks import Network

WEIGHTS_FOLDER = PROJECT_ROOT / "assets" / "models" / "realesrgan"
WEIGHTS = {"drawn": "animevideov3.safetensors", "photo": "x4plus.safetensors"}


class SuperResolutionEngine:
    """Footage becomes larger. The network is kept between runs."""

    def __init__(self) -> None:
        self._loaded: tuple[Path, Network] | None = None

    def check(self, request: UpscaleRequest) -> list[str]:
        """Warnings. Raises: InvalidRequest, MediaError, LimitExceeded or NotAvailable."""
        _weights_path(request)
        return check_request(request, open_source(request))

    def run(self, request: UpscaleRequest, context: RunContext) -> Result:
        """Renders into context.work_folder; finished chunks of the same request are kept.

        Returns: the video and its still; measurements seconds, seconds_per_frame, frames, width, height, fps, chunks,
            chunks_kept, peak_memory_bytes.
        Raises: UserError, Cancelled or Paused.
        """
        import torch

        from engines.backend.process_memory import peak_memory_bytes
        from engines.footage.rendering import Output, render_footage
        from engines.super_resolution.upscaled import Restoration, Upscaled

        started = time.perf_counter()
        source = open_source(request)
        warnings = check_request(request, source)
        width, height = target_size(request, source.width, source.height)
        path = context.work_folder / f"upscaled{suffix(request)}"
        check_target(path, source.fps, field="codec")
        context.step("loading", 0, 1)
        network = self._network(_weights_path(request))
        weight = next(network.parameters())
        context.step("loading", 1, 1)
        how = Restoration(request.detail, request.denoise, request.temporal)
        larger = Upscaled(source, network, height, width, how)
        record = _record(request, weight.dtype, weight.device)
        output = Output(
            path=path,
            how=video_format(request),
            audio=source.audio() if request.keep_audio else None,
            record=None if request.strip_metadata else record,
            plan=record.model_dump(mode="json"),
        )
        rendered = render_footage(larger, output, context)
        measurements = {
            "seconds": time.perf_counter() - started,
            "seconds_per_frame": rendered.seconds_per_frame,
            "frames": float(larger.count),
            "width": float(width),
            "height": float(height),
            "fps": float(larger.fps),
            "chunks": float(rendered.chunks),
            "chunks_kept": float(rendered.chunks_kept),
            "peak_memory_bytes": float(peak_memory_bytes(torch.device(weight.device))),
        }
        return Result(files=rendered.files, measurements=measurements, warnings=[*warnings, *rendered.warnings])

    def _network(self, path: Path) -> Network:
        from engines.backend.device import select_device
        from engines.backend.precision import compute_dtype
        from engines.super_resolution.weights import load_network

        if self._loaded is None or self._loaded[0] != path:
            self._loaded = None  # one at a time: the old one's memory first
            device = select_device()
            network = load_network(path, "weights")
            self._loaded = (path, network.to(device, compute_dtype(device)))
        return self._loaded[1]


def _weights_path(request: UpscaleRequest) -> Path:
    if request.weights is not None:
        return request.weights
    path = WEIGHTS_FOLDER / WEIGHTS[request.model]
    if not path.is_file():
        raise NotAvailable(
            f"The weights of “{request.model}” are not on this machine: {path}.",
            "Make them with: python -m engines.super_resolution.convert",
            "model",
        )
    return path


def _record(request: UpscaleRequest, dtype: Any, device: Any) -> OutputRecord:
    from engines.backend.fingerprint import fingerprint

    inputs = {"video": request.video, "weights": request.weights}
    return OutputRecord(
        framewright=__version__,
        request={"task": request.task, **request.model_dump(mode="json")},
        model={"id": request.model, "sha256": file_digest(_weights_path(request))},
        fingerprint=fingerprint(dtype, device),
        inputs={name: file_digest(path) for name, path in inputs.items() if path is not None},
    )


ENGINE = SuperResolutionEngine
