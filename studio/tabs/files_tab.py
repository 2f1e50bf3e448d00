"""What tabs whose request names files share: file fields, the paths of what is kept, what they lead to, trials."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from engines.errors import UserError
from engines.task import make_engine, parse_request
from studio import stage_html
from studio.error_messages import error_updates
from studio.estimates import estimate_line
from studio.events import HIDDEN
from studio.file_field import FileField
from studio.files import FileServer
from studio.form import Form, label_of
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.owner import owner_of
from studio.plain_file_field import PlainFileField
from studio.plain_files import CHECKS
from studio.tabs.job_watch import Updates
from studio.tabs.task_tab import TaskTab
from studio.trials import TRIAL_SECONDS, Trials


class FilesTab(TaskTab):
    """A task's tab with file fields.

    Args:
        title, verb, form, queue, files: As of TaskTab.
        owned: Keeps the files that are brought.
    """

    trial_label = f"Try {TRIAL_SECONDS:g} seconds first"
    # The file field that is given the last frame of what the gallery shows; "" for none.
    frame_field = ""

    def __init__(
        self, title: str, verb: str, form: Form, queue: JobQueue, files: FileServer, owned: OwnedFiles
    ) -> None:
        self.owned = owned
        self.trials = Trials(queue, form.task)
        super().__init__(title, verb, form, queue, files)

    def lay_out_buttons(self) -> None:
        with gr.Row(elem_classes=["dock-buttons"]):
            self.trial = gr.Button(self.trial_label, size="lg", elem_id=f"{self.task}-trial", min_width=150)
            super().lay_out_buttons()

    def add_file(self, name: str, label: str) -> FileField | PlainFileField:
        """A further file field of the request, a plain file or one picture, in the current layout block."""
        field: FileField | PlainFileField
        check = CHECKS.get(self.form.file_names[name])
        if check is not None:
            words = self.form.schema[name]["description"]
            field = PlainFileField(self.task, name, label, words, self.owned, check)
        else:
            several = self.form.takes_several(name)
            field = FileField(self.task, name, label, several, self.owned, self.files, each_a_job=not several)
        self.form.adopt_file(field)
        return field

    def add_rest_of_files(self) -> None:
        for name in self.form.file_names:
            if name not in self.form.files:
                self.add_file(name, label_of(name))

    def with_files(self, values: Mapping[str, Any], owner: str) -> tuple[dict[str, Any], dict[str, list[Path]]]:
        """(the request with what each file field holds, all paths by field).

        A field holds one path, or a list where it takes several.

        Raises: InvalidRequest for what is not this owner's.
        """
        found = {name: field.paths(values, owner) for name, field in self.form.files.items()}
        fields = {name: value for name, value in values.items() if name not in found}
        given = {
            name: [str(path) for path in paths] if self.form.takes_several(name) else str(paths[0])
            for name, paths in found.items()
            if paths
        }
        return fields | given, found

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

    def fields_of(self, job: Job) -> dict[str, Any]:
        return self.trials.full_fields(job) or super().fields_of(job)

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

    @abstractmethod
    def _trial_part(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """What a trial of TRIAL_SECONDS asks for instead. Raises: InvalidRequest if that is no less than all."""

    def wire(self, opens: Callable[..., Any]) -> None:
        super().wire(opens)
        outputs = [*self.form.outputs, *self.advised, *self.watch.outputs]
        self.trial.click(self.submit_trial, self.form.inputs, outputs, **HIDDEN)
        for field in self.form.files.values():
            field.wire()
            field.show_after(self.back)
