"""The Text to video tab. Its handlers submit and look; nothing here renders."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from engines.diorama.vocabulary import chip_phrases, example_prompts
from engines.errors import NotAvailable, UserError
from engines.task import make_engine, parse_request
from engines.text_to_video.request import TextToVideoRequest
from studio.error_messages import error_updates
from studio.events import BESIDE_THE_QUEUE, HIDDEN
from studio.files import FileServer
from studio.film_strip import film_strip, strip_value
from studio.form import Form
from studio.form_memory import FormMemory
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from studio.model_menus import ModelMenu, length_entries, size_entries
from studio.owner import owner_of
from studio.prompt_advice import catalogue, estimate_line, prompt_warning, settings_advice
from studio.prompt_helper import prompt_helper
from studio.settings_file import settings_of
from studio.smaller import smaller_fields
from studio.stage import Stage

TASK = TextToVideoRequest.task
WATCH_SECONDS = 0.5
RECENT_JOBS = 12
LARGEST_SEED = 2**32 - 1
TAKES = [("1", 1), ("4", 4), ("9", 9)]
REUSABLE = [".mp4", ".webm", ".gif", ".zip", ".json"]
Updates = dict[Any, Any]


class TextToVideoTab:
    """Lays the tab out in the current block and wires it.

    Args:
        queue: Where requests go.
        files: Serves results.
        model: The model menu in the head of the page.
        models: (label, id) pairs of that menu.
    """

    def __init__(self, queue: JobQueue, files: FileServer, model: Any, models: Sequence[tuple[str, str]]) -> None:
        self.queue = queue
        self.form = Form(TextToVideoRequest, {"takes": TAKES, "model": models})
        self.form.adopt("model", model)
        with gr.Row(elem_classes=["workbench"]):
            with gr.Column(elem_classes=["controls"], scale=5, min_width=320):
                self._lay_out_controls(models[0][1])
            with gr.Column(elem_classes=["showing"], scale=7, min_width=320):
                self.stage = Stage(TASK, files, example_prompts()[:3])
                self.recent = film_strip(f"{TASK}-recent")
        self.memory = FormMemory(self.form, queue)
        self.job_id = gr.BrowserState("", storage_key=f"framewright-{TASK}-job", secret="framewright")
        self.take = gr.State(0)
        self.timer = gr.Timer(WATCH_SECONDS, active=False)

    def _lay_out_controls(self, first_model: str) -> None:
        with gr.Group(elem_classes=["prompt-group"]):
            (prompt,) = self.form.add("prompt")
            prompt.placeholder = "a fox bounces on a green field"
            self.warning = gr.HTML("", elem_id=f"{TASK}-warning", apply_default_css=False)
            prompt_helper(prompt.elem_id, chip_phrases())
        with gr.Row(elem_classes=["basics"]):
            self.menus = [
                ModelMenu(
                    "Size", "Width × height in pixels.", f"{TASK}-size", ("width", "height"), size_entries, first_model
                ),
                ModelMenu(
                    "Length", "One picture or a clip.", f"{TASK}-length", ("frames",), length_entries, first_model
                ),
            ]
            self.form.add("seed", "takes")
        self._lay_out_folded_layers()
        with gr.Column(elem_classes=["dock"]):
            self.settings_advice = gr.HTML("", elem_id=f"{TASK}-advice", apply_default_css=False)
            self.estimate = gr.HTML("", elem_id=f"{TASK}-estimate", apply_default_css=False)
            self.render = gr.Button(
                "Render", variant="primary", size="lg", elem_id=f"{TASK}-render", elem_classes=["render-button"]
            )
        self.upload = gr.UploadButton(
            "Reuse settings from a file", file_types=REUSABLE, size="sm", elem_id=f"{TASK}-upload", variant="secondary"
        )

    def _lay_out_folded_layers(self) -> None:
        with gr.Accordion("Look", open=False, elem_id=f"{TASK}-look"):
            self.form.add_rest_of("look")
        with gr.Accordion("Quality", open=False, elem_id=f"{TASK}-quality"):
            self.form.add_rest_of("quality")
        self.advanced = gr.Accordion("Advanced", open=False, elem_id=f"{TASK}-advanced")
        with self.advanced:
            with gr.Row():
                self.form.add("width", "height", "frames")
            self.form.add_rest_of("advanced")

    # What the handlers change together.

    def _advice(self, values: Mapping[str, Any], owner: str) -> Updates:
        return {
            self.warning: prompt_warning(str(values.get("prompt") or ""), str(values.get("model"))),
            self.settings_advice: settings_advice(TASK, values),
            self.estimate: estimate_line(self.queue, TASK, values, owner),
        }

    def _menus(self, values: Mapping[str, Any], offer: bool = False) -> Updates:
        return {one: change for menu in self.menus for one, change in menu.update(values, offer).items()}

    def _settled(self, values: Mapping[str, Any], owner: str, offer: bool = False) -> Updates:
        """Keeps these values and says what they will lead to."""
        self.memory.save(owner, values)
        return self._menus(values, offer) | self._advice(values, owner)

    def _filled(self, values: Mapping[str, Any], owner: str) -> Updates:
        complete = self.form.defaults() | dict(values)
        return self.form.filled(complete) | self._settled(complete, owner, offer=True)

    def _recent(self, owner: str, current: str | None) -> Updates:
        jobs = self.queue.list(owner, TASK, RECENT_JOBS)
        return {self.recent: strip_value("Recent renders", self.stage.recent_items(jobs, current))}

    def _shows(self, job: Job | None, owner: str, shown: str | None = None, take: int = 0) -> Updates:
        running = job is not None and not job.is_over
        updates = self.stage.updates(job, shown, take)
        if self.stage.takes in updates:
            updates |= self._recent(owner, job.id if job else None)
        return updates | {self.timer: gr.Timer(active=running)}

    def _follows(self, job: Job, owner: str) -> Updates:
        """The page now watches this job."""
        return {self.job_id: job.id, self.take: 0} | self._shows(job, owner)

    # Handlers.

    def submit(self, request: gr.Request, *given: Any) -> Updates:
        owner = owner_of(request)
        values = self.form.values(given)
        try:
            make_engine(TASK).check(parse_request(TextToVideoRequest, values))
            job = self.queue.submit(TASK, values, owner)
        except UserError as error:
            return error_updates(self.form, error)
        return self.form.without_errors() | self._settled(values, owner) | self._follows(job, owner)

    def again(self, request: gr.Request, job_id: str) -> Updates:
        """The same request with the seeds after those that it used."""
        owner = owner_of(request)
        try:
            fields = self.queue.get(job_id, owner).fields
            seed = (fields["seed"] + fields["takes"]) % (LARGEST_SEED + 1)
            job = self.queue.submit(TASK, fields | {"seed": seed}, owner)
        except UserError as error:
            return error_updates(self.form, error)
        return self._filled(job.fields, owner) | self._follows(job, owner)

    def retry(self, request: gr.Request, job_id: str) -> Updates:
        owner = owner_of(request)
        try:
            return self._follows(self.queue.retry(job_id, owner), owner)
        except UserError as error:
            return error_updates(self.form, error)

    def retry_smaller(self, request: gr.Request, job_id: str) -> Updates:
        owner = owner_of(request)
        try:
            failed = self.queue.get(job_id, owner)
            job = self.queue.submit(TASK, smaller_fields(failed) or failed.fields, owner)
        except UserError as error:
            return error_updates(self.form, error)
        return self._filled(job.fields, owner) | self._follows(job, owner)

    def cancel(self, request: gr.Request, job_id: str, shown: str) -> Updates:
        owner = owner_of(request)
        try:
            job = self.queue.cancel(job_id, owner)
        except UserError as error:
            return error_updates(self.form, error)
        return self._shows(job, owner, shown) | {self.stage.cancel: gr.update(interactive=False)}

    def watch(self, request: gr.Request, job_id: str, shown: str, take: int) -> Updates:
        """Asked twice a second while a job is not over."""
        owner = owner_of(request)
        try:
            job = self.queue.get(job_id, owner)
        except NotAvailable:
            return {self.job_id: ""} | self._shows(None, owner, shown)
        return self._shows(job, owner, shown, take)

    def pick_take(self, request: gr.Request, job_id: str, shown: str, event: gr.EventData) -> Updates:
        owner, take = owner_of(request), int(event.id)
        return {self.take: take} | self._shows(self.queue.get(job_id, owner), owner, shown, take)

    def pick_recent(self, request: gr.Request, event: gr.EventData) -> Updates:
        owner = owner_of(request)
        try:
            return self._follows(self.queue.get(str(event.id), owner), owner)
        except UserError as error:
            return error_updates(self.form, error)

    def edited(self, request: gr.Request, has_error: bool, is_back: bool, *given: Any) -> Updates:
        """Keeps the form, takes the errors away, says what the prompt and the settings will lead to."""
        owner, values = owner_of(request), self.form.values(given)
        cleared = self.form.without_errors() if has_error else {}
        if not is_back:
            return cleared | self._advice(values, owner)
        return cleared | self._settled(values, owner)

    def _chooses_from(self, menu: ModelMenu) -> Callable[..., Updates]:
        """What an entry of the menu stands for goes into its fields; "Custom" shows them."""

        def choose(request: gr.Request, entry: str, *given: Any) -> Updates:
            values = self.form.values(given)
            fields = menu.chosen(entry, values["model"])
            if not fields:
                return {self.advanced: gr.update(open=True)}
            return self.form.changed(fields) | self._settled(values | fields, owner_of(request))

        return choose

    def choose_model(self, request: gr.Request, *given: Any) -> Updates:
        """Another model brings its own defaults; prompt and seed stay."""
        values = self.form.values(given)
        card = catalogue().get(values["model"])
        return self._filled(values | (card.defaults.model_dump() if card else {}), owner_of(request))

    def reuse_job(self, request: gr.Request, job_id: str) -> Updates:
        owner = owner_of(request)
        try:
            return self._filled(self.queue.get(job_id, owner).fields, owner)
        except UserError as error:
            return error_updates(self.form, error)

    def reuse_file(self, request: gr.Request, path: str) -> Updates:
        """Fills the form from a file that Framewright wrote."""
        try:
            known = settings_of(Path(path), TextToVideoRequest, "Text to video")
        except UserError as error:
            return error_updates(self.form, error)
        gr.Info("The form now holds the settings of this file.")
        return self._filled(known, owner_of(request))

    def open_page(self, request: gr.Request, job_id: str) -> Updates:
        """A fresh or reloaded page: the form as it was left, and the job that this browser watched or that runs."""
        owner = owner_of(request)
        job = self._job_to_show(job_id, owner)
        shows = self._follows(job, owner) if job else self._shows(None, owner)
        return self.memory.recall(owner) | shows

    def came_back(self, request: gr.Request, *given: Any) -> Updates:
        """The form is as it was left, but for what was typed meanwhile."""
        return {self.memory.is_back: True} | self._settled(self.form.values(given), owner_of(request), offer=True)

    def _job_to_show(self, job_id: str, owner: str) -> Job | None:
        latest = self.queue.list(owner, TASK, RECENT_JOBS)
        watched = next((job for job in latest if job.id == job_id), None)
        unfinished = next((job for job in reversed(latest) if not job.is_over), None)
        return watched if watched and not watched.is_over else unfinished or watched

    # Events.

    def wire(self, page: gr.Blocks) -> None:
        """Connects the handlers."""
        stage, form, fields = self.stage, self.form.outputs, self.form.inputs
        advice = [self.warning, self.settings_advice, self.estimate, *(menu.component for menu in self.menus)]
        follows = [*stage.outputs, self.recent, self.timer, self.job_id, self.take]
        self.render.click(self.submit, fields, [*form, *advice, *follows], **HIDDEN)
        stage.again.click(self.again, self.job_id, [*form, *advice, *follows], **HIDDEN)
        stage.retry.click(self.retry, self.job_id, [*form, *follows], **HIDDEN)
        stage.smaller.click(self.retry_smaller, self.job_id, [*form, *advice, *follows], **HIDDEN)
        stage.cancel.click(self.cancel, [self.job_id, stage.shown], [*form, *follows], **HIDDEN)
        self.timer.tick(self.watch, [self.job_id, stage.shown, self.take], follows, **BESIDE_THE_QUEUE)
        stage.takes.pick(self.pick_take, [self.job_id, stage.shown], follows, **BESIDE_THE_QUEUE)
        self.recent.pick(self.pick_recent, None, [*form, *follows], **HIDDEN)
        stage.reuse.click(self.reuse_job, self.job_id, [*form, *advice], **HIDDEN)
        self.upload.upload(self.reuse_file, self.upload, [*form, *advice], **HIDDEN)
        opened = page.load(self.open_page, self.job_id, [*self.memory.outputs, *follows], **BESIDE_THE_QUEUE)
        self.memory.fill_after(opened, self.came_back, advice, **BESIDE_THE_QUEUE)
        self._wire_edits([*form, *advice])

    def _wire_edits(self, outputs: list[Any]) -> None:
        """Edits of the fields, and the menu and dice that set fields; what they set counts as an edit."""
        before = [self.form.has_error, self.memory.is_back]
        self.form.on_edit(self.edited, before, outputs)
        for menu in self.menus:
            menu.component.input(
                self._chooses_from(menu),
                [menu.component, *self.form.inputs],
                [*outputs, self.advanced],
                **BESIDE_THE_QUEUE,
            )
        self.form.components["model"].select(self.choose_model, self.form.inputs, outputs, **BESIDE_THE_QUEUE)
        rolled = self.form.dice["seed"].click(_roll, None, self.form.components["seed"], **BESIDE_THE_QUEUE)
        rolled.then(self.edited, [*before, *self.form.inputs], outputs, **BESIDE_THE_QUEUE)


def _roll() -> int:
    return random.randint(0, LARGEST_SEED)
