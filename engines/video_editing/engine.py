"""The video-editing engine: one video in, one out, edited by words or with another background.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engines import __version__
from engines.backend.catalogue import Catalogue, load_catalogue
from engines.backend.model_files import locate
from engines.context import RunContext
from engines.media.digest import file_digest
from engines.media.metadata import OutputRecord
from engines.selection.people import WEIGHTS
from engines.task import Result
from engines.video_editing.check import BY_A_MODEL, WHOLE, check_request, fit_of, open_video
from engines.video_editing.request import VideoEditingRequest
from engines.word_selection.heads import head_weights

if TYPE_CHECKING:
    import torch

    from engines.backend.families.base import Family
    from engines.backend.registry import ModelRegistry
    from engines.footage.footage import Footage
    from engines.footage.video import VideoFootage
    from engines.selection.background import Mattes

NAME = "edited"


class VideoEditingEngine:
    """Edits footage. Models are kept between runs.

    Args:
        models: Loaded models to share; by default the engine makes a registry at its first run.
    """

    def __init__(self, models: ModelRegistry | None = None) -> None:
        self._models = models

    def check(self, request: VideoEditingRequest) -> list[str]:
        """Warnings. Raises: UserError if the request cannot be rendered."""
        return check_request(request, self._catalogue())

    def run(self, request: VideoEditingRequest, context: RunContext) -> Result:
        """See `render_job`; of edits by words further measurements, see `edit_by_words`.

        Raises: UserError, Cancelled or Paused.
        """
        import torch

        from engines.footage.rendered_task import FootageJob, export_output, export_path, render_job

        started = time.perf_counter()
        warnings = self.check(request)
        video = open_video(request)
        path = export_path(request, context.work_folder, NAME, video.fps)
        measurements: dict[str, float] = {}
        if request.mode not in BY_A_MODEL:
            footage: Footage = self._rearranged(request, video, context)
            record = _record(request, self._network(request, context), torch.float32)
        else:
            footage, record, measurements, said = self._by_model(request, video, context)
            warnings += said
        output = export_output(request, path, record, video.audio())
        made = render_job(FootageJob(footage, output, torch.device("cpu"), warnings), context, started)
        return made.model_copy(update={"measurements": {**made.measurements, **measurements}})

    def _by_model(
        self, request: VideoEditingRequest, video: VideoFootage, context: RunContext
    ) -> tuple[Footage, OutputRecord, dict[str, float], list[str]]:
        from engines.footage.footage import ClipFootage
        from engines.media.clip import Clip
        from engines.video_editing.fitting import fitted, fitted_masks, inside_canvas
        from engines.video_editing.regions import make_region
        from engines.video_editing.styles import restyle_clip
        from engines.video_editing.words import edit_by_words

        models = self._registry(context)
        context.step("loading", 0, 1)
        family = models.load(request.model)
        context.step("loading", 1, 1)
        fit = fit_of(request, video, family.card)
        # Before the model is laid into memory for the job: finding a thing by words lays it out for itself.
        selected = self._mattes(request, video, context) if request.mode == "region" else None
        family.prepare(fit.at_once, 2, models.budget)
        measurements, said = dict[str, float](), list[str]()
        if request.mode == "words":
            made = edit_by_words(family, request, fit, fitted(video, fit), context)
            frames, measurements = made.frames, made.measurements
            said += made.warnings
        elif request.mode == "restyle":
            frames = restyle_clip(family, request, fitted(video, fit)[: fit.count], context)
        elif selected is not None:
            masks = fitted_masks(selected.mattes(range(video.count)), fit)
            frames = make_region(family, request, fit.geometry, fitted(video, fit), masks, context)
        else:
            frames = make_region(family, request, fit.geometry, *inside_canvas(video, fit), context)
        model = _recorded(family, request)
        clip = ClipFootage(Clip(frames[: fit.count], video.fps))
        return clip, _record(request, model, family.dtype, family.device), measurements, said

    def _catalogue(self) -> Catalogue:
        return self._models.catalogue if self._models is not None else load_catalogue()

    def _registry(self, context: RunContext) -> ModelRegistry:
        """The worker's models, else the engine's own."""
        if context.models is not None:
            return context.models
        if self._models is None:
            from engines.backend.registry import ModelRegistry

            self._models = ModelRegistry()
        return self._models

    def _mattes(self, request: VideoEditingRequest, video: VideoFootage, context: RunContext) -> Mattes:
        """Where the thing is that the request means. Raises: InvalidRequest if it is not in the video."""
        from engines.video_editing.selected import mattes_of

        def selecting(done: int, total: int) -> None:
            context.step("selecting", done, total)

        folder = context.work_folder / "selection"
        return mattes_of(request, video, lambda: self._registry(context), folder, selecting)

    def _rearranged(self, request: VideoEditingRequest, video: VideoFootage, context: RunContext) -> Footage:
        """The stage that edits without making anything anew."""
        from engines.video_editing.backgrounds import Composited, behind_of
        from engines.video_editing.objects import Move, Rearranged

        mattes = self._mattes(request, video, context)
        if request.mode == "background":
            return Composited(video, mattes, behind_of(request, video))
        if request.mode == "remove":
            return Rearranged(video, mattes)
        right, down = request.move_right * video.width, request.move_down * video.height
        return Rearranged(video, mattes, Move(right, down, request.scale, request.copy_thing))

    def _network(self, request: VideoEditingRequest, context: RunContext) -> dict[str, str]:
        """What found the thing, for the file's record."""
        if request.selection == "people":
            return {"id": "selfie_segmentation", "sha256": file_digest(WEIGHTS)}
        if request.selection == "words":
            return _recorded(self._registry(context).load(request.model), request)
        return {}


def _recorded(family: Family, request: VideoEditingRequest) -> dict[str, str]:
    """A model, and its adapter where that found the thing (docs/decisions/011)."""
    said = {"id": family.card.id, "revision": family.revision}
    if request.mode not in WHOLE and request.selection == "words":
        said["word_selection_sha256"] = file_digest(head_weights(family.card, locate(family.card)))
    return said


def _record(
    request: VideoEditingRequest, model: dict[str, str], dtype: torch.dtype, device: torch.device | None = None
) -> OutputRecord:
    import torch

    from engines.backend.fingerprint import fingerprint

    inputs = {"video": request.video, "picture": request.picture, "mask": request.mask}
    return OutputRecord(
        framewright=__version__,
        request={"task": request.task, **request.model_dump(mode="json")},
        model=model,
        fingerprint=fingerprint(dtype, device or torch.device("cpu")),
        inputs={name: file_digest(path) for name, path in inputs.items() if path is not None},
    )


ENGINE = VideoEditingEngine
