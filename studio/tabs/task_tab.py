"""What every task's tab does: submit, retry, reuse, keep the form, say what it will lead to. Nothing here renders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from engines.errors import UserError
from engines.task import make_engine, parse_request
from studio.error_messages import error_updates, toast
from studio.events import BESIDE_THE_QUEUE, HIDDEN
from studio.files import FileServer
from studio.form import Form
from studio.form_memory import FormMemory
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from studio.owner import owner_of
from studio.settings_file import settings_of
from studio.smaller import smaller_fields
from studio.stage import Stage
from studio.tabs.job_watch import JobWatch, Updates

TAKES = [("1", 1), ("4", 4), ("9", 9)]  # versions to pick from
LARGEST_SEED = 2**32 - 1
REUSABLE = [".mp4", ".mov", ".mkv", ".webm", ".gif", ".png", ".zip", ".json"]


class TaskTab(ABC):
    """Lays the tab out in the current block and wires it.

    A task's tab says what stands on its left side and what is special about its form; the rest is here.

    Args:
        title: The tab's name.
        verb: On its one primary button.
        form: Empty; `lay_out_controls` puts its components on the page.
        queue: Where requests go.
        files: Serves results.
    """

    def __init__(self, title: str, verb: str, form: Form, queue: JobQueue, files: FileServer) -> None:
        self.title, self.verb = title, verb
        self.form, self.queue, self.files = form, queue, files
        self.task = form.task
        with gr.Row(elem_classes=["workbench"]):
            with gr.Column(elem_classes=["controls"], scale=5, min_width=320):
                self.lay_out_controls()
                self._lay_out_dock()
            with gr.Column(elem_classes=["showing"], scale=7, min_width=320):
                self.watch = JobWatch(self.task, queue, self.make_stage)
        self.stage = self.watch.stage
        self.memory = FormMemory(form, queue)

    # What a task says about itself.

    @abstractmethod
    def lay_out_controls(self) -> None:
        """Makes the components of the form, in the order in which they are read."""

    @abstractmethod
    def make_stage(self) -> Stage:
        """The stage, laid out in the current block."""

    @abstractmethod
    def advice(self, values: Mapping[str, Any], owner: str) -> Updates:
        """What these values will lead to, said on the page; updates of `advised`."""

    @property
    def advised(self) -> list[Any]:
        """Components that `advice` and `settled` update, beside the form."""
        return [self.settings_advice, self.estimate]

    def requests(self, values: Mapping[str, Any], owner: str) -> list[dict[str, Any]]:
        """The requests that these values stand for, one job each. Raises: UserError for what cannot be asked for."""
        return [dict(values)]

    def settled(self, values: Mapping[str, Any], owner: str, offer: bool = False) -> Updates:
        """`kept`, and what else shows these values: for handlers that set fields themselves.

        Args:
            offer: Also list what goes with these values.
        """
        return self.kept(values, owner)

    def fields_of(self, job: Job) -> dict[str, Any]:
        """The job's request as values of the form."""
        return job.fields

    # What the handlers change together.

    def _lay_out_dock(self) -> None:
        with gr.Column(elem_classes=["dock"]):
            self.settings_advice = gr.HTML("", elem_id=f"{self.task}-advice", apply_default_css=False)
            self.estimate = gr.HTML("", elem_id=f"{self.task}-estimate", apply_default_css=False)
            self.lay_out_buttons()
        self.upload = gr.UploadButton(
            "Reuse settings from a file", file_types=REUSABLE, size="sm", elem_id=f"{self.task}-upload",
            variant="secondary",
        )  # fmt: skip

    def lay_out_buttons(self) -> None:
        """The one primary button; a task may put another beside it."""
        self.render = gr.Button(
            self.verb, variant="primary", size="lg", elem_id=f"{self.task}-render", elem_classes=["render-button"]
        )

    def kept(self, values: Mapping[str, Any], owner: str) -> Updates:
        """Keeps these values and says what they will lead to."""
        self.memory.save(owner, values)
        return self.advice(values, owner)

    def filled(self, values: Mapping[str, Any], owner: str) -> Updates:
        """Puts these values into the form."""
        complete = self.form.defaults() | dict(values)
        return self.form.filled(complete) | self.settled(complete, owner, offer=True)

    def _submitted(self, values: Mapping[str, Any], owner: str) -> Job:
        """Checks all requests, then queues them. Returns the first job. Raises: UserError; nothing is queued then."""
        requests = self.requests(values, owner)
        for fields in requests:
            make_engine(self.task).check(parse_request(self.form.request_class, fields))
        jobs = [self.queue.submit(self.task, fields, owner) for fields in requests]
        return jobs[0]

    # Handlers.

    def submit(self, request: gr.Request, *given: Any) -> Updates:
        owner = owner_of(request)
        values = self.form.values(given)
        try:
            job = self._submitted(values, owner)
        except UserError as error:
            return error_updates(self.form, error)
        return self.form.without_errors() | self.kept(values, owner) | self.watch.follows(job, owner)

    def retry(self, request: gr.Request, job_id: str) -> Updates:
        owner = owner_of(request)
        try:
            return self.watch.follows(self.queue.retry(job_id, owner), owner)
        except UserError as error:
            return toast(error)

    def retry_smaller(self, request: gr.Request, job_id: str) -> Updates:
        owner = owner_of(request)
        try:
            failed = self.queue.get(job_id, owner)
            job = self.queue.submit(self.task, smaller_fields(failed) or failed.fields, owner)
        except UserError as error:
            return error_updates(self.form, error)
        return self.filled(self.fields_of(job), owner) | self.watch.follows(job, owner)

    def again(self, request: gr.Request, job_id: str) -> Updates:
        """The same request with the seeds after those that it used."""
        owner = owner_of(request)
        try:
            fields = self.queue.get(job_id, owner).fields
            seed = (fields["seed"] + fields.get("takes", 1)) % (LARGEST_SEED + 1)
            job = self.queue.submit(self.task, fields | {"seed": seed}, owner)
        except UserError as error:
            return error_updates(self.form, error)
        return self.filled(self.fields_of(job), owner) | self.watch.follows(job, owner)

    def edited(self, request: gr.Request, has_error: bool, is_back: bool, *given: Any) -> Updates:
        """Keeps the form, takes the errors away, says what the settings will lead to."""
        owner, values = owner_of(request), self.form.values(given)
        cleared = self.form.without_errors() if has_error else {}
        if not is_back:
            return cleared | self.advice(values, owner)
        return cleared | self.kept(values, owner)

    def reuse_job(self, request: gr.Request, job_id: str) -> Updates:
        owner = owner_of(request)
        try:
            return self.filled(self.fields_of(self.queue.get(job_id, owner)), owner)
        except UserError as error:
            return toast(error)

    def reuse_file(self, request: gr.Request, path: str) -> Updates:
        """Fills the form from a file that Framewright wrote."""
        try:
            known = settings_of(Path(path), self.form.request_class, self.title)
        except UserError as error:
            return toast(error)
        gr.Info("The form now holds the settings of this file.")
        return self.filled(known, owner_of(request))

    def open_page(self, request: gr.Request, job_id: str) -> Updates:
        """The tab, first seen since the page was loaded: the form as it was left, and the job that this browser watched
        or that runs."""
        owner = owner_of(request)
        return self.memory.recall(owner) | self.watch.opened(job_id, owner)

    def came_back(self, request: gr.Request, *given: Any) -> Updates:
        """The form is as it was left, but for what was typed meanwhile."""
        return {self.memory.is_back: True} | self.settled(self.form.values(given), owner_of(request), offer=True)

    # Events.

    def wire(self, opens: Callable[..., Any]) -> None:
        """Connects the handlers. `self.back` is the event after which form and stage are as they were left.

        Args:
            opens: The event at which a person sees this tab for the first time.
        """
        watch, stage, fields = self.watch, self.stage, self.form.inputs
        form, follows = [*self.form.outputs, *self.advised], watch.outputs
        watch.wire()
        self.render.click(self.submit, fields, [*form, *follows], **HIDDEN)
        stage.retry.click(self.retry, watch.job_id, follows, **HIDDEN)
        stage.smaller.click(self.retry_smaller, watch.job_id, [*form, *follows], **HIDDEN)
        if stage.has_seed:
            stage.again.click(self.again, watch.job_id, [*form, *follows], **HIDDEN)
        stage.reuse.click(self.reuse_job, watch.job_id, form, **HIDDEN)
        self.upload.upload(self.reuse_file, self.upload, form, **HIDDEN)
        opened = opens(self.open_page, watch.job_id, [*self.memory.outputs, *follows], **BESIDE_THE_QUEUE)
        self.back = self.memory.fill_after(opened, self.came_back, self.advised, **BESIDE_THE_QUEUE)
        self.form.on_edit(self.edited, [self.form.has_error, self.memory.is_back], form)
