"""The video-editing engine: one video in, one out, edited by words or with another background.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engines import __version__
from engines.adapters import CONTROL, WORD_SELECTION
from engines.backend.model_files import locate
from engines.context import RunContext
from engines.media.digest import file_digest
from engines.media.metadata import OutputRecord
from engines.model_engine import ModelEngine
from engines.selection.people import WEIGHTS
from engines.task import Result
from engines.video_editing.check import by_a_model, check_request, fit_of, open_video, selects
from engines.video_editing.request import VideoEditingRequest

if TYPE_CHECKING:
    import torch

    from engines.backend.families.base import Family
    from engines.footage.finishing import Finishing
    from engines.footage.footage import Footage
    from engines.footage.video import VideoFootage
    from engines.selection.background import Mattes

NAME = "edited"


class VideoEditingEngine(ModelEngine):
    """Edits footage. Models are kept between runs. See ModelEngine."""

    def check(self, request: VideoEditingRequest) -> list[str]:
        """Warnings. Raises: UserError if the request cannot be rendered."""
        return check_request(request, self._catalogue())

    def run(self, request: VideoEditingRequest, context: RunContext, finishing: Finishing | None = None) -> Result:
        """See `render_job`; of edits by words further measurements, see `edit_by_words`.

        Args:
            finishing: What is done with what a model made before it is written.

        Raises: UserError, Cancelled or Paused.
        """
        import torch

        from engines.footage.rendered_task import FootageJob, export_output, export_path, render_job
        from engines.video_editing.rearranging import rearranged

        started = time.perf_counter()
        warnings = self.check(request)
        video = open_video(request)
        path = export_path(request, context.work_folder, NAME, video.fps)
        measurements: dict[str, float] = {}
        if not by_a_model(request):
            footage: Footage = rearranged(request, video, self._mattes(request, video, context))
            record = _record(request, self._network(request, context), torch.float32)
        else:
            footage, record, measurements, said = self._by_model(request, video, context)
            warnings += said
            if finishing is not None:
                footage, record = finishing.stage(footage, video.fps), finishing.recorded(record)
        output = export_output(request, path, record, video.audio())
        made = render_job(FootageJob(footage, output, torch.device("cpu"), warnings), context, started)
        return made.model_copy(update={"measurements": {**made.measurements, **measurements}})

    def _by_model(
        self, request: VideoEditingRequest, video: VideoFootage, context: RunContext
    ) -> tuple[Footage, OutputRecord, dict[str, float], list[str]]:
        from engines.footage.footage import ClipFootage
        from engines.media.clip import Clip
        from engines.video_editing.by_model import Asked, make

        models = self._registry(context)
        context.step("loading", 0, 1)
        family = models.load(request.model)
        context.step("loading", 1, 1)
        fit = fit_of(request, video, family.card)
        # Before the model is laid into memory for the job: finding a thing by words lays it out for itself.
        selected = self._mattes(request, video, context) if selects(request) else None
        family.prepare(fit.at_once, 2, models.budget)
        made = make(Asked(family, request, video, fit, selected, context))
        record = _record(request, _recorded(family, request), family.dtype, family.device)
        return ClipFootage(Clip(made.frames[: fit.count], fit.fps)), record, made.measurements, made.warnings

    def _mattes(self, request: VideoEditingRequest, video: VideoFootage, context: RunContext) -> Mattes:
        """Where the thing is that the request means. Raises: InvalidRequest if it is not in the video."""
        from engines.video_editing.selected import mattes_of

        def selecting(done: int, total: int) -> None:
            context.step("selecting", done, total)

        folder = context.work_folder / "selection"
        return mattes_of(request, video, lambda: self._registry(context), folder, selecting)

    def _network(self, request: VideoEditingRequest, context: RunContext) -> dict[str, str]:
        """What found the thing, for the file's record."""
        if request.selection == "people":
            return {"id": "selfie_segmentation", "sha256": file_digest(WEIGHTS)}
        if request.selection == "words":
            return _recorded(self._registry(context).load(request.model), request)
        return {}


def _recorded(family: Family, request: VideoEditingRequest) -> dict[str, str]:
    """A model, and its adapters that took part (docs/decisions/011)."""
    said = {"id": family.card.id, "revision": family.revision}
    if selects(request) and request.selection == "words":
        said["word_selection_sha256"] = file_digest(WORD_SELECTION.weights(family.card, locate(family.card)))
    if request.mode == "follow":
        said["control_sha256"] = file_digest(CONTROL.weights(family.card, locate(family.card)))
    return said


def _record(
    request: VideoEditingRequest, model: dict[str, str], dtype: torch.dtype, device: torch.device | None = None
) -> OutputRecord:
    import torch

    from engines.backend.fingerprint import fingerprint

    inputs = {"video": request.video, "picture": request.picture, "mask": request.mask, "depth": request.depth}
    return OutputRecord(
        framewright=__version__,
        request={"task": request.task, **request.model_dump(mode="json")},
        model=model,
        fingerprint=fingerprint(dtype, device or torch.device("cpu")),
        inputs={name: file_digest(path) for name, path in inputs.items() if path is not None},
    )


ENGINE = VideoEditingEngine
