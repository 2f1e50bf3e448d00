"""The right side of a tab and what keeps it true: stage, recent renders, and the timer that asks for the job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from engines.errors import NotAvailable, UserError
from studio.error_messages import toast
from studio.events import BESIDE_THE_QUEUE, HIDDEN
from studio.film_strip import film_strip, strip_value
from studio.jobs.job import RETRYABLE, Job
from studio.jobs.queue import JobQueue
from studio.owner import owner_of
from studio.stage import Stage

WATCH_SECONDS = 0.5
# So long a job that went wrong stays on the stage before the next one of a batch takes its place.
WRONG_SECONDS = 8
RECENT_JOBS = 12
# As many as files may be brought at once.
WAITING_JOBS = 200
Updates = dict[Any, Any]


class JobWatch:
    """Shows one job of a task and follows it. The page holds only the job's id, so a reload finds it again.

    Args:
        task: The task whose jobs are shown; prefix of the element ids.
        queue: Where the jobs are.
        make_stage: Called where the stage belongs on the page.
    """

    def __init__(self, task: str, queue: JobQueue, make_stage: Callable[[], Stage]) -> None:
        self.task = task
        self.queue = queue
        self.stage = make_stage()
        self.recent = film_strip(f"{task}-recent")
        # Rendered by `wire`, outside of the tabs: what lies in a tab that was not opened yet reads nothing.
        self.job_id: Any = gr.BrowserState(
            "", storage_key=f"framewright-{task}-job", secret="framewright", render=False
        )
        self.take = gr.State(0)
        self.timer = gr.Timer(WATCH_SECONDS, active=False)

    @property
    def outputs(self) -> list[Any]:
        """What the updates of this class may change."""
        return [*self.stage.outputs, self.recent, self.timer, self.job_id, self.take]

    def shows(self, job: Job | None, owner: str, shown: str | None = None, take: int = 0) -> Updates:
        """Updates that put the job on the stage; None empties it. shown: what the stage says that it shows."""
        updates = self.stage.updates(job, shown, take)
        if self.stage.takes in updates:
            jobs = self.queue.list(owner, self.task, RECENT_JOBS)
            items = self.stage.recent_items(jobs, job.id if job else None)
            updates |= {self.recent: strip_value("Recent renders", items)}
        return updates | {self.timer: gr.Timer(active=job is not None and self._goes_on(job, owner))}

    def _goes_on(self, job: Job, owner: str) -> bool:
        """Whether there is more to see than this: the job is not over, or went wrong and others come after it."""
        return not job.is_over or (job.status in RETRYABLE and self._next(owner) is not None)

    def follows(self, job: Job, owner: str) -> Updates:
        """The page now watches this job."""
        return {self.job_id: job.id, self.take: 0} | self.shows(job, owner)

    def opened(self, job_id: str, owner: str) -> Updates:
        """A fresh or reloaded page: the job that runs, else the one that this browser watched."""
        latest = self.queue.list(owner, self.task, RECENT_JOBS)
        watched = next((job for job in latest if job.id == job_id), None)
        job = watched if watched and not watched.is_over else self._next(owner) or watched
        return self.follows(job, owner) if job else self.shows(None, owner)

    # Handlers.

    def watch(self, request: gr.Request, job_id: str, shown: str, take: int) -> Updates:
        """Asked twice a second while a job is not over."""
        owner = owner_of(request)
        try:
            job = self.queue.get(job_id, owner)
        except NotAvailable:
            return {self.job_id: ""} | self.shows(None, owner, shown)
        further = self._next(owner) if job.status == "done" or _was_read(job) else None
        return self.follows(further, owner) if further else self.shows(job, owner, shown, take)

    def _next(self, owner: str) -> Job | None:
        """Of several files at once: the one that is rendered after this one; the finished stand below the stage."""
        jobs = self.queue.list(owner, self.task, WAITING_JOBS)
        return next((job for job in reversed(jobs) if not job.is_over), None)

    def cancel(self, request: gr.Request, job_id: str, shown: str) -> Updates:
        owner = owner_of(request)
        try:
            job = self.queue.cancel(job_id, owner)
        except UserError as error:
            return toast(error)
        return self.shows(job, owner, shown) | {self.stage.cancel: gr.update(interactive=False)}

    def pick_take(self, request: gr.Request, job_id: str, shown: str, event: gr.EventData) -> Updates:
        owner, take = owner_of(request), int(event.id)
        try:
            return {self.take: take} | self.shows(self.queue.get(job_id, owner), owner, shown, take)
        except NotAvailable:
            return {self.job_id: ""} | self.shows(None, owner, shown)

    def pick_recent(self, request: gr.Request, event: gr.EventData) -> Updates:
        owner = owner_of(request)
        try:
            return self.follows(self.queue.get(str(event.id), owner), owner)
        except UserError as error:
            return toast(error)

    def wire(self) -> None:
        """Connects the handlers. Called outside of the tabs, before anything else uses `job_id`."""
        self.job_id.render()
        stage, outputs = self.stage, self.outputs
        stage.cancel.click(self.cancel, [self.job_id, stage.shown], outputs, **HIDDEN)
        stage.takes.pick(self.pick_take, [self.job_id, stage.shown], outputs, **BESIDE_THE_QUEUE)
        self.recent.pick(self.pick_recent, None, outputs, **HIDDEN)
        self.timer.tick(self.watch, [self.job_id, stage.shown, self.take], outputs, **BESIDE_THE_QUEUE)


def _was_read(job: Job) -> bool:
    """Whether a job that went wrong has stood on the stage for long enough; the queue keeps saying why."""
    if job.status not in RETRYABLE or job.finished is None:
        return False
    return (datetime.now(UTC) - datetime.fromisoformat(job.finished)).total_seconds() > WRONG_SECONDS
