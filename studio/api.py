"""What the endpoints answer, and the endpoints for jobs. Those of the tasks: task_endpoints; of the gallery:
import_endpoint. Errors come as data.

Every endpoint answers with JobReply, /jobs with JobsReply. A wrong field, an unknown job and a failed render all set
`error` (code, field, message, fix).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypedDict, cast

import gradio as gr
from gradio.data_classes import FileData

from engines.errors import UserError
from engines.task import make_engine, parse_request, request_class
from studio.files import FileServer
from studio.jobs.job import Job
from studio.jobs.order import Direction
from studio.jobs.queue import JobQueue
from studio.owner import owner_of

POLL_SECONDS = 0.2
MOST_JOBS = 200


class ErrorReply(TypedDict):
    """What went wrong and what to do."""

    code: str
    field: str | None
    message: str
    fix: str


class FileReply(TypedDict):
    """One file of a result; `file` is downloaded by gradio_client, which puts the local path in its place."""

    kind: str
    seed: int | None
    file: FileData


class JobReply(TypedDict):
    """A job as clients see it. `job_id` is "" if there is none; `video` is the first video of a finished job."""

    job_id: str
    task: str
    status: str
    position: int | None
    phase: str
    step: int
    total: int
    message: str
    seconds_left: float | None
    video: FileData | None
    files: list[FileReply]
    measurements: dict[str, float]
    warnings: list[str]
    error: ErrorReply | None


class EventReply(TypedDict):
    """Something that happened to a job; `at` is ISO 8601."""

    at: str
    kind: str
    detail: str


class EventsReply(TypedDict):
    """A job's history, or why there is none."""

    events: list[EventReply]
    log: str
    error: ErrorReply | None


class JobsReply(TypedDict):
    """A list of jobs, or why there is none."""

    jobs: list[JobReply]
    error: ErrorReply | None


def error_reply(error: UserError) -> JobReply:
    """A UserError as data, where no job came to be."""
    data = error.as_data()
    return JobReply(
        job_id="", task="", status="rejected", position=None, phase="", step=0, total=0, message="", seconds_left=None,
        video=None, files=[], measurements={}, warnings=[],
        error=ErrorReply(code=error.code, field=data["field"], message=error.message, fix=error.fix),
    )  # fmt: skip


class Endpoints:
    """The functions behind the endpoints.

    Args:
        queue: Where jobs are.
        files: Serves result files.
    """

    def __init__(self, queue: JobQueue, files: FileServer) -> None:
        self.queue = queue
        self.files = files

    def reply(self, job: Job, with_files: bool) -> JobReply:
        """The job as data. Files are put into the cache only when they are asked for."""
        result = job.result
        files = [
            FileReply(kind=file.kind, seed=file.seed, file=self.files.file_data(file.path))
            for file in (result.files if result and with_files else [])
            if file.path.exists()
        ]
        return JobReply(
            job_id=job.id, task=job.task, status=job.status, position=job.position,
            phase=job.phase or "", step=job.step or 0, total=job.total or 0, message=job.message or "",
            seconds_left=job.seconds_left,
            video=next((file["file"] for file in files if file["kind"] == "video"), None),
            files=files,
            measurements=result.measurements if result else {},
            warnings=job.warnings,
            error=_stored_error(job.error),
        )  # fmt: skip

    def submit(self, task: str, fields: dict[str, Any], key: str, owner: str) -> JobReply:
        """Stores a job. `warnings` says at once what the engine will round or not understand."""
        try:
            warnings = make_engine(task).check(parse_request(request_class(task), fields))
            reply = self.reply(self.queue.submit(task, fields, owner, key or None), with_files=False)
        except UserError as error:
            return error_reply(error)
        reply["warnings"] = [*warnings, *(text for text in reply["warnings"] if text not in warnings)]
        return reply

    async def wait(self, job_id: str, owner: str) -> JobReply:
        """Returns when the job is over. A caller that goes away leaves the job running.

        No progress is sent on the way: gr.api takes no gr.Progress. Who wants it submits and asks job_status.
        """
        while True:
            job = await asyncio.to_thread(self.queue.get, job_id, owner)
            if job.is_over:
                return await asyncio.to_thread(self.reply, job, True)
            await asyncio.sleep(POLL_SECONDS)

    def job_status(self, job_id: str, request: gr.Request) -> JobReply:
        """How a job is: status, place in the queue, phase, finished steps, seconds left. Without its files.

        Args:
            job_id: The id that a submit endpoint returned.
        """
        return self._about(job_id, request, with_files=False)

    def job_result(self, job_id: str, request: gr.Request) -> JobReply:
        """A job with the files of its result; `video` and `files` are empty until its status is "done".

        Args:
            job_id: The id that a submit endpoint returned.
        """
        return self._about(job_id, request, with_files=True)

    def _about(self, job_id: str, request: gr.Request, with_files: bool) -> JobReply:
        try:
            return self.reply(self.queue.get(job_id, owner_of(request)), with_files)
        except UserError as error:
            return error_reply(error)

    def job_cancel(self, job_id: str, request: gr.Request) -> JobReply:
        """Cancels a job: at once while it waits, at its next step while it runs. A job that is over stays as it is.

        Args:
            job_id: The id that a submit endpoint returned.
        """
        return self._done(self.queue.cancel, job_id, request)

    def job_pause(self, job_id: str, request: gr.Request) -> JobReply:
        """A job that waits pauses at once, one that runs at the end of its chunk; its models leave the memory.

        Args:
            job_id: The id that a submit endpoint returned.
        """
        return self._done(self.queue.pause, job_id, request)

    def job_resume(self, job_id: str, request: gr.Request) -> JobReply:
        """A paused job has its turn again, in its old place, and goes on at its first unfinished chunk.

        Args:
            job_id: The id that a submit endpoint returned.
        """
        return self._done(self.queue.resume, job_id, request)

    def job_retry(self, job_id: str, request: gr.Request) -> JobReply:
        """Queues a failed, cancelled or interrupted job again; its finished chunks are kept.

        Args:
            job_id: The id that a submit endpoint returned.
        """
        return self._done(self.queue.retry, job_id, request)

    def job_move(self, job_id: str, direction: str, request: gr.Request) -> JobReply:
        """Moves a job that waits among your own.

        Args:
            job_id: The id that a submit endpoint returned.
            direction: "first", "up", "down" or "last".
        """
        return self._done(partial(self.queue.move, direction=cast(Direction, direction)), job_id, request)

    def job_priority(self, job_id: str, priority: str, request: gr.Request) -> JobReply:
        """Puts a job that waits among your others of this priority.

        Args:
            job_id: The id that a submit endpoint returned.
            priority: "high", "normal" or "low".
        """
        return self._done(partial(self.queue.set_priority, priority=priority), job_id, request)

    def _done(self, action: Callable[..., Job], job_id: str, request: gr.Request) -> JobReply:
        try:
            return self.reply(action(job_id=job_id, owner=owner_of(request)), with_files=False)
        except UserError as error:
            return error_reply(error)

    def job_events(self, job_id: str, request: gr.Request) -> EventsReply:
        """What happened to a job, the oldest first, and the end of its log.

        Args:
            job_id: The id that a submit endpoint returned.
        """
        owner = owner_of(request)
        try:
            log, events = self.queue.get(job_id, owner).log_tail(), self.queue.events(job_id, owner)
        except UserError as error:
            return EventsReply(events=[], log="", error=error_reply(error)["error"])
        return EventsReply(
            events=[EventReply(at=one.at, kind=one.kind, detail=one.detail) for one in events], log=log, error=None
        )

    def jobs(self, request: gr.Request, task: str = "", limit: int = 20) -> JobsReply:
        """Your jobs, the newest first, without their files.

        Args:
            task: Only jobs of this task, for example "text_to_video"; empty for all.
            limit: The most jobs to return, 1 to 200.
        """
        try:
            found = self.queue.list(owner_of(request), task or None, max(1, min(limit, MOST_JOBS)))
        except UserError as error:
            return JobsReply(jobs=[], error=error_reply(error)["error"])
        return JobsReply(jobs=[self.reply(job, with_files=False) for job in found], error=None)


def _stored_error(error: dict[str, str | None] | None) -> ErrorReply | None:
    if error is None:
        return None
    return ErrorReply(
        code=error["code"] or "bug", field=error["field"], message=error["message"] or "", fix=error["fix"] or ""
    )  # fmt: skip
