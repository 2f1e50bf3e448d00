"""What tabs about somebody's own footage share: files in, one job for each, a part tried first, before and after."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from engines.errors import InvalidRequest, UserError
from studio import stage_html
from studio.compare_stage import CompareStage
from studio.error_messages import toast
from studio.events import HIDDEN
from studio.file_field import FileField
from studio.form import Choices
from studio.owner import owner_of
from studio.source_preview import info_of
from studio.stage import Stage
from studio.tabs.files_tab import FilesTab
from studio.tabs.job_watch import Updates
from studio.trials import TRIAL_SECONDS
from studio.uploaded_field import required

# What the field `rate` offers in words.
RATES: Choices = [
    ("2 times as many frames", "x2"), ("4 times as many frames", "x4"), ("8 times as many frames", "x8"),
    *((f"{rate} frames per second", rate) for rate in ("24", "30", "50", "60", "120")),
]  # fmt: skip
GROUPS = {"look": "Look", "quality": "Quality", "advanced": "Advanced"}


class FootageTab(FilesTab):
    """Lays out a tab whose request names a video. Arguments: as of FilesTab."""

    # What stands on the left.

    @abstractmethod
    def lay_out_main(self) -> None:
        """The fields that everybody sets, below the file."""

    def lay_out_controls(self) -> None:
        video = FileField(self.task, "video", "Video, picture or zip file", True, self.owned, self.files)
        self.form.adopt_file(video)
        with gr.Row(elem_classes=["basics", "part"]):
            start, end = self.form.add("start", "end")
        video.resets = {start: 0.0, end: None}
        self.lay_out_main()
        for layer, title in GROUPS.items():
            if self.form.rest_of(layer):
                with gr.Accordion(title, open=False, elem_id=f"{self.task}-{layer}"):
                    self.form.add_rest_of(layer)
                    if layer == "advanced":
                        self.add_rest_of_files()

    def make_stage(self) -> Stage:
        empty = stage_html.empty_footage_screen(self.verb)
        return CompareStage(self.task, self.files, empty, self.owned, self.trials)

    # What the values stand for.

    def requests(self, values: Mapping[str, Any], owner: str) -> list[dict[str, Any]]:
        """One request for each file. In and out points hold for a single file; of several, each is rendered whole."""
        fields, found = self.with_files(values, owner)
        paths = found["video"]
        if not paths:
            raise required("video", "video")
        if len(paths) == 1:
            return [fields]
        return [fields | {"video": str(path), "start": 0.0, "end": None} for path in paths]

    # Handlers.

    def _trial_part(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """TRIAL_SECONDS from the in point on. Raises: InvalidRequest if the part to render is no longer than that."""
        info = info_of(Path(fields["video"]), "video")
        start = float(fields.get("start") or 0.0)
        end = info.duration_seconds if fields.get("end") is None else float(fields["end"])
        if end - start <= TRIAL_SECONDS:
            raise InvalidRequest(
                f"The part to render lasts {max(0.0, end - start):.1f} seconds, no longer than a trial.",
                f"Press {self.verb}.",
            )
        return {"start": start, "end": start + TRIAL_SECONDS}

    def render_all(self, request: gr.Request, job_id: str) -> Updates:
        """After a trial: the request that it was a part of."""
        owner = owner_of(request)
        try:
            trial = self.queue.get(job_id, owner)
            full = self.trials.full_fields(trial) or trial.fields
            job = self.queue.submit(self.task, full, owner)
        except UserError as error:
            return toast(error)
        return self.watch.follows(job, owner)

    # Events.

    def wire(self, opens: Callable[..., Any]) -> None:
        super().wire(opens)
        assert isinstance(self.stage, CompareStage)
        self.stage.wire(self.back)
        self.stage.all_of_it.click(self.render_all, self.watch.job_id, self.watch.outputs, **HIDDEN)
