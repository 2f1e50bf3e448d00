"""What tabs about somebody's own footage share: files in, one job for each, a part tried first, before and after."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from engines.errors import InvalidRequest, UserError
from engines.task import make_engine, parse_request
from studio import stage_html
from studio.compare_stage import CompareStage
from studio.error_messages import error_updates, toast
from studio.estimates import estimate_line
from studio.events import HIDDEN
from studio.file_field import FileField
from studio.files import FileServer
from studio.form import Choices, Form, label_of
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.owner import owner_of
from studio.source_preview import info_of
from studio.stage import Stage
from studio.tabs.job_watch import Updates
from studio.tabs.task_tab import TaskTab
from studio.trials import TRIAL_SECONDS, Trials
from studio.uploaded_field import required
from studio.weights_field import WeightsField

# What the field `rate` offers in words.
RATES: Choices = [
    ("2 times as many frames", "x2"), ("4 times as many frames", "x4"), ("8 times as many frames", "x8"),
    *((f"{rate} frames per second", rate) for rate in ("24", "30", "50", "60", "120")),
]  # fmt: skip
GROUPS = {"look": "Look", "quality": "Quality", "advanced": "Advanced"}


class FootageTab(TaskTab):
    """Lays out a tab whose request names a video.

    Args:
        title, verb, form, queue, files: As of TaskTab.
        owned: Keeps the files that are brought.
    """

    def __init__(
        self, title: str, verb: str, form: Form, queue: JobQueue, files: FileServer, owned: OwnedFiles
    ) -> None:
        self.owned = owned
        self.trials = Trials(queue, form.task)
        super().__init__(title, verb, form, queue, files)

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
                        self._add_rest_of_files()

    def add_file(self, name: str, label: str) -> None:
        """A further file field of the request, weights or one picture, in the current layout block."""
        if self.form.file_names[name] == "weights":
            words = self.form.schema[name]["description"]
            self.form.adopt_file(WeightsField(self.task, name, label, words, self.owned))
        else:
            self.form.adopt_file(FileField(self.task, name, label, False, self.owned, self.files))

    def _add_rest_of_files(self) -> None:
        for name in self.form.file_names:
            if name not in self.form.files:
                self.add_file(name, label_of(name))

    def lay_out_buttons(self) -> None:
        with gr.Row(elem_classes=["dock-buttons"]):
            self.trial = gr.Button(
                f"Try {TRIAL_SECONDS:g} seconds first", size="lg", elem_id=f"{self.task}-trial", min_width=150
            )
            super().lay_out_buttons()

    def make_stage(self) -> Stage:
        empty = stage_html.empty_footage_screen(self.verb)
        return CompareStage(self.task, self.files, empty, self.owned, self.trials)

    # What the values stand for.

    def requests(self, values: Mapping[str, Any], owner: str) -> list[dict[str, Any]]:
        """One request for each file. In and out points hold for a single file; of several, each is rendered whole."""
        fields, paths = self._with_files(values, owner)
        if not paths:
            raise required("video", "video")
        if len(paths) == 1:
            return [fields | {"video": str(paths[0])}]
        return [fields | {"video": str(path), "start": 0.0, "end": None} for path in paths]

    def _with_files(self, values: Mapping[str, Any], owner: str) -> tuple[dict[str, Any], list[Path]]:
        """(the request without its videos, its videos). Raises: InvalidRequest for what is not this owner's."""
        found = {name: field.paths(values, owner) for name, field in self.form.files.items()}
        fields = {name: value for name, value in values.items() if name not in found}
        fields |= {name: str(paths[0]) for name, paths in found.items() if paths and name != "video"}
        return fields, found["video"]

    def fields_of(self, job: Job) -> dict[str, Any]:
        return self.trials.full_fields(job) or super().fields_of(job)

    def advice(self, values: Mapping[str, Any], owner: str) -> Updates:
        """What the engine says about these values. What is wrong with a field is said beside it when it is rendered."""
        try:
            requests = self.requests(values, owner)
            parsed = parse_request(self.form.request_class, requests[0])
            said = make_engine(self.task).check(parsed)
        except UserError:
            return {self.settings_advice: "", self.estimate: ""}
        several = f"{len(requests)} files" if len(requests) > 1 else ""
        return {
            self.settings_advice: stage_html.sentences(said, "settings-advice"),
            self.estimate: estimate_line(self.queue, self.task, requests, owner, several),
        }

    # Handlers.

    def submit_trial(self, request: gr.Request, *given: Any) -> Updates:
        """The same request for a few seconds; the whole of it is remembered for "Render all of it"."""
        owner, values = owner_of(request), self.form.values(given)
        try:
            full = self.requests(values, owner)[0]
            part = full | self._trial_part(full)
            make_engine(self.task).check(parse_request(self.form.request_class, part))
            job = self.queue.submit(self.task, part, owner)
        except UserError as error:
            return error_updates(self.form, error)
        self.trials.remember(job, full | {name: job.fields[name] for name in self.form.file_names})
        return self.form.without_errors() | self.kept(values, owner) | self.watch.follows(job, owner)

    def _trial_part(self, fields: Mapping[str, Any]) -> dict[str, float]:
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

    def wire(self, page: gr.Blocks) -> None:
        super().wire(page)
        for field in self.form.files.values():
            field.wire()
            field.show_after(self.back)
        outputs = [*self.form.outputs, *self.advised, *self.watch.outputs]
        self.trial.click(self.submit_trial, self.form.inputs, outputs, **HIDDEN)
        assert isinstance(self.stage, CompareStage)
        self.stage.wire(self.back)
        self.stage.all_of_it.click(self.render_all, self.watch.job_id, self.watch.outputs, **HIDDEN)
