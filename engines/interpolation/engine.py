"""The interpolation engine: open, load the network, render chunk by chunk.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING

from engines import __version__
from engines.backend.catalogue import PROJECT_ROOT
from engines.context import RunContext
from engines.errors import NotAvailable
from engines.footage.alignment import eight_bit
from engines.footage.announcements import hdr_warning
from engines.footage.framing import framed
from engines.interpolation.pictures import backwards, plan_pictures, said_of_pictures
from engines.interpolation.request import InterpolationRequest
from engines.interpolation.source import check_length, open_source, result_fps
from engines.media.digest import file_digest
from engines.media.metadata import OutputRecord
from engines.model_engine import ModelEngine
from engines.task import Result

if TYPE_CHECKING:
    from engines.backend.registry import ModelRegistry
    from engines.footage.footage import Footage
    from engines.interpolation.interpolated import Interpolated, Rate
    from engines.interpolation.network import FlowNetwork

NAME = "interpolated"
STEPS, GUIDANCE = 20, 4.0
WEIGHTS = PROJECT_ROOT / "assets" / "models" / "rife" / "flownet.safetensors"


class InterpolationEngine(ModelEngine):
    """Footage becomes smoother or slower, one picture another. The network is kept between runs, and models."""

    def __init__(self, models: ModelRegistry | None = None) -> None:
        super().__init__(models)
        self._loaded: FlowNetwork | None = None

    def check(self, request: InterpolationRequest) -> list[str]:
        """Warnings. Raises: InvalidRequest, MediaError, LimitExceeded or NotAvailable."""
        check_weights()
        source, video = open_source(request)
        check_length(request, source)
        said = hdr_warning(video)
        if request.second is not None:
            said += said_of_pictures(request, source, self._catalogue())
        if request.second is None and result_fps(request, source) * Fraction(request.slower) < source.fps:
            said.append(
                f"The video has {float(source.fps):g} frames per second already; some of them will be left out."
            )
        return said

    def run(self, request: InterpolationRequest, context: RunContext) -> Result:
        """See `render_job`. Raises: UserError, Cancelled or Paused."""
        from engines.footage.rendered_task import FootageJob, export_output, export_path, render_job
        from engines.interpolation.interpolated import Rate

        started = time.perf_counter()
        warnings = self.check(request)
        source, video = open_source(request)
        slower, is_morph = Fraction(request.slower), request.second is not None
        rate = Rate(result_fps(request, source), slower)
        path = export_path(request, context.work_folder, NAME, rate.fps)
        model = self.model()
        if is_morph and request.between != "flow":
            source, model = self._generated(request, source, context)
        context.step("loading", 0, 1)
        smoother = self.stage(
            source, rate, find_cuts=request.find_cuts and not is_morph,
            drop_repeats=request.drop_repeats and not is_morph, confident=request.confident,
        )  # fmt: skip
        context.step("loading", 1, 1)
        audio = None if is_morph else video.audio(slower)
        output = export_output(request, path, self._record(request, model), audio)
        return render_job(FootageJob(smoother, output, smoother.device, warnings), context, started)

    def _generated(
        self, request: InterpolationRequest, source: Footage, context: RunContext
    ) -> tuple[Footage, dict[str, str]]:
        """What a model makes between the pictures, and what a record says of both models."""
        from engines.footage.footage import ClipFootage
        from engines.interpolation.generated import WAYS, Between
        from engines.media.clip import Clip

        models = self._registry(context)
        plan = plan_pictures(request, source, models.catalogue)
        context.step("loading", 0, 1)
        family = models.load(request.model)
        context.step("loading", 1, 1)
        family.prepare(plan.geometry, 2, models.budget)
        size = (plan.geometry.height, plan.geometry.width)
        first, last = (framed(eight_bit(frame), *size, "crop") for frame in source.frames(range(2)))
        context.step("encoding", 0, 1)
        said, back, empty = (family.encode_prompt([text]) for text in (request.prompt, backwards(request.prompt), ""))
        context.step("encoding", 1, 1)
        between = Between(
            family, plan.geometry, first, last, said, back, empty, STEPS, GUIDANCE, request.seed,
            lambda step: context.step("denoising", step.interval + 1, step.total),
        )  # fmt: skip
        made = {"between": family.card.id, "between_revision": family.revision}
        return ClipFootage(Clip(WAYS[request.between](between), plan.fps)), {**self.model(), **made}

    def stage(
        self, source: Footage, rate: Rate, *, find_cuts: bool = True, drop_repeats: bool = True, confident: bool = True
    ) -> Interpolated:
        """The source at another rate, see Interpolated; weights are loaded if they are not. Raises: NotAvailable."""
        from engines.interpolation.interpolated import Interpolated

        check_weights()
        return Interpolated(
            source, self._network(), rate, find_cuts=find_cuts, drop_repeats=drop_repeats, confident=confident
        )

    def model(self) -> dict[str, str]:
        """What a record says of the weights."""
        return {"id": "rife-4.0", "sha256": file_digest(WEIGHTS)}

    def _record(self, request: InterpolationRequest, model: dict[str, str]) -> OutputRecord:
        from engines.backend.fingerprint import fingerprint

        weight = next(self._network().parameters())
        inputs = {"video": request.video, "second": request.second}
        return OutputRecord(
            framewright=__version__,
            request={"task": request.task, **request.model_dump(mode="json")},
            model=model,
            fingerprint=fingerprint(weight.dtype, weight.device),
            inputs={name: file_digest(path) for name, path in inputs.items() if path is not None},
        )

    def _network(self) -> FlowNetwork:
        from engines.backend.device import select_device
        from engines.interpolation.weights import load_flow_network

        if self._loaded is None:
            # In float32 on every device: eight bits of mantissa place a pixel of a wide frame next to its neighbour.
            self._loaded = load_flow_network(WEIGHTS).to(select_device())
        return self._loaded


def check_weights() -> None:
    """Raises: NotAvailable if they were not made yet."""
    if not WEIGHTS.is_file():
        raise NotAvailable(
            f"The weights are not on this machine: {WEIGHTS}.",
            "Make them with: python -m engines.interpolation.convert",
        )


ENGINE = InterpolationEngine
