"""The super-resolution engine: open, load the network, render chunk by chunk.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from engines import __version__
from engines.backend.catalogue import PROJECT_ROOT
from engines.context import RunContext
from engines.errors import NotAvailable
from engines.media.digest import file_digest
from engines.media.metadata import OutputRecord
from engines.super_resolution.architecture import read_architecture
from engines.super_resolution.check import check_request, open_source
from engines.super_resolution.request import UpscaleRequest
from engines.super_resolution.target import target_size
from engines.task import Result

if TYPE_CHECKING:
    from engines.footage.footage import Footage
    from engines.super_resolution.networks import Network
    from engines.super_resolution.upscaled import Upscaled

NAME = "upscaled"
WEIGHTS_FOLDER = PROJECT_ROOT / "assets" / "models" / "realesrgan"
WEIGHTS = {"drawn": "animevideov3.safetensors", "photo": "x4plus.safetensors"}


class SuperResolutionEngine:
    """Footage becomes larger. The network is kept between runs."""

    def __init__(self) -> None:
        self._loaded: tuple[Path, Network] | None = None

    def check(self, request: UpscaleRequest) -> list[str]:
        """Warnings. Raises: InvalidRequest, MediaError, LimitExceeded or NotAvailable."""
        path = _weights_path(request)
        if request.weights is not None:
            read_architecture(path, "weights")
        return check_request(request, open_source(request))

    def run(self, request: UpscaleRequest, context: RunContext) -> Result:
        """See `render_job`. Raises: UserError, Cancelled or Paused."""
        from engines.footage.rendered_task import FootageJob, export_output, export_path, render_job

        started = time.perf_counter()
        source = open_source(request)
        warnings = check_request(request, source)
        path = export_path(request, context.work_folder, NAME, source.fps)
        context.step("loading", 0, 1)
        larger = self.stage(request, source)
        context.step("loading", 1, 1)
        output = export_output(request, path, self.record(request), source.audio())
        return render_job(FootageJob(larger, output, larger.device, warnings), context, started)

    def stage(self, request: UpscaleRequest, source: Footage) -> Upscaled:
        """The source, larger; its weights are loaded if they are not. Raises: UserError."""
        from engines.super_resolution.upscaled import Restoration, Upscaled

        width, height = target_size(request, source.width, source.height)
        how = Restoration(request.detail, request.denoise, request.temporal)
        return Upscaled(source, self._network(_weights_path(request)), height, width, how)

    def record(self, request: UpscaleRequest) -> OutputRecord:
        """What makes the result of this request again. Loads the weights if they are not."""
        inputs = {"video": request.video, "weights": request.weights}
        return OutputRecord(
            framewright=__version__,
            request={"task": request.task, **request.model_dump(mode="json")},
            model=self.model(request),
            fingerprint=self.fingerprint(request),
            inputs={name: file_digest(given) for name, given in inputs.items() if given is not None},
        )

    def model(self, request: UpscaleRequest) -> dict[str, str]:
        """What a record says of the weights. Raises: NotAvailable if they are not on this machine."""
        return {"id": request.model, "sha256": file_digest(_weights_path(request))}

    def fingerprint(self, request: UpscaleRequest) -> dict[str, str]:
        """Of the machine and the network's number format. Loads the weights if they are not."""
        from engines.backend.fingerprint import fingerprint

        weight = next(self._network(_weights_path(request)).parameters())
        return fingerprint(weight.dtype, weight.device)

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


ENGINE = SuperResolutionEngine
