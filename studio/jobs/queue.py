"""The render queue, as the page and the API use it."""

from __future__ import annotations

import builtins
import shutil
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from engines.errors import InvalidRequest, ResourceError
from engines.task import Request, parse_request, request_class
from studio.home import VARIABLE, check_free_space, database_path, job_folder, lock_path, prepare_home
from studio.jobs.disk import Disk
from studio.jobs.dispatch import Dispatch
from studio.jobs.failure import studio_died
from studio.jobs.housekeeping import Housekeeping
from studio.jobs.inputs import Facts, bytes_of, check_given, facts_of, keep_inputs
from studio.jobs.job import IMPORTED, Estimate, Event, Job
from studio.jobs.job_file import write_job_file
from studio.jobs.learning import estimate
from studio.jobs.lock import StudioLock
from studio.jobs.order import DIRECTIONS, Direction, priority_number
from studio.jobs.quota import quota_from_environment
from studio.jobs.recovery import open_library
from studio.jobs.room import with_warnings
from studio.jobs.store import JobStore, new_job_id
from studio.jobs.supervisor import InlineWorker, ProcessWorker, Worker

if TYPE_CHECKING:
    from studio.jobs.imports import Imports

LOCAL = "local"


class JobQueue:
    """Stores jobs, has them rendered one after another, and says how they are.

    A context manager, or `start` and `stop`. Jobs may be submitted before the start; they run after it. All methods
    may be called from any thread. Nothing here loads torch: the worker does, at its first job.

    Args:
        home: The studio's folder; made if it is not there (studio.home.studio_home gives the usual one).
        worker: "process" renders in a child process, so that its crash leaves the page alive; "inline" renders in a
            thread of this process.
        modules: Imported by the worker process before its first job; they may register further tasks.

    Attributes:
        home: The studio's folder.
        notice: What was wrong with the library and what was done about it, as a sentence; None if nothing was.
        disk: What each owner uses of it and may use, and how that is given back.

    Raises: ResourceError if the folder or the library in it cannot be written; InvalidRequest for a quota that is no
        number.
    """

    def __init__(
        self, home: Path, worker: Literal["process", "inline"] = "process", modules: Sequence[str] = ()
    ) -> None:
        self.home = prepare_home(home)
        self._lock = StudioLock(lock_path(self.home))
        self._database, self.notice = open_library(self.home, self._lock)
        self._store = JobStore(self._database, self.home)
        self._dispatch = Dispatch(self._database)
        self.disk = Disk(self._database, self.home, quota_from_environment())
        self._housekeeping = Housekeeping(
            [lambda: self._database.back_up_daily(database_path(self.home)), self.disk.forget_old_trash]
        )
        # A thread of this process: a job that brings down its worker brings down the studio.
        self._is_inline = worker == "inline"
        self._worker: Worker = (
            InlineWorker(self.home, self._dispatch)
            if self._is_inline
            else ProcessWorker(self.home, self._dispatch, modules)
        )
        self._started = False

    def start(self) -> None:
        """What a dead studio left running goes on; jobs that it left queued have their turn.

        Raises: ResourceError if another studio uses this folder.
        """
        self._lock.acquire()
        self._dispatch.release_running(studio_died(), is_crash=self._is_inline)
        self.disk.finish_removing()
        self._housekeeping.start()
        self._worker.start()
        self._started = True

    def stop(self) -> None:
        """Ends the worker and closes the library. What runs and what is queued goes on at the next start."""
        if self._started:
            self._worker.stop()
            self._housekeeping.stop()
            self._lock.release()
            self._started = False
        self._database.close()

    @cached_property
    def imports(self) -> Imports:
        """Takes files into the gallery."""
        # Not at the top: it reads media, and the page's process begins without numpy.
        from studio.jobs.imports import Imports

        return Imports(self._store, self.disk, self.home)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def submit(
        self,
        task: str,
        fields: dict[str, Any],
        owner: str = LOCAL,
        idempotency_key: str | None = None,
        priority: str = "normal",
    ) -> Job:
        """Stores a request as a queued job; the worker takes it when the jobs before it are over.

        Its input files are copied into the job's folder first, so it renders what was there now.

        Args:
            idempotency_key: 1 to 200 printable characters. The same key from the same owner again returns the job of
                the first time.
            priority: "high", "normal" or "low", among the owner's own jobs.

        Raises:
            InvalidRequest: unknown task, field or priority, a value that is not allowed, or a key used for another
                request.
            MediaError: an input is not there, may not be opened, or is no media.
            LimitExceeded: an input is too large, or the owner's renders use as much of the disk as they may.
            ResourceError: the disk is full or the studio's folder cannot be written.
        """
        request = parse_request(request_class(task), fields)
        _check_key(idempotency_key)
        number = priority_number(priority)
        check_given(request)
        facts = facts_of(request)
        check_free_space(self.home, bytes_of(request))
        self.disk.check_room(owner, bytes_of(request))
        job_id = new_job_id()
        folder = job_folder(self.home, job_id)
        try:
            data = {"id": job_id, "owner": owner, "task": task, "created": time.time()}
            job = self._store.add(self._keep(request, facts, folder, data), idempotency_key, number)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if job.id != job_id:
            shutil.rmtree(folder, ignore_errors=True)
        self._worker.wake()
        return job

    def _keep(
        self, request: Request, facts: dict[str, builtins.list[Facts]], folder: Path, data: dict[str, Any]
    ) -> dict[str, Any]:
        """Makes the job's folder. Returns: `data` with the fields and facts to store. Raises: ResourceError."""
        try:
            folder.mkdir()
            fields, inputs = keep_inputs(request, facts, folder, self.home)
            complete = {**data, "fields": fields, "inputs": inputs}
            write_job_file(folder, complete)
        except OSError as error:
            raise ResourceError(
                f"The job's folder {folder} cannot be made: {error.strerror or error}.",
                f"Make {self.home} writable, or set {VARIABLE} to another folder and start again.",
            ) from error
        return complete

    def get(self, job_id: str, owner: str = LOCAL) -> Job:
        """Raises NotAvailable for an unknown job or somebody else's."""
        return self._store.get(job_id, owner)

    def list(
        self,
        owner: str = LOCAL,
        task: str | None = None,
        limit: int = 50,
        trashed: bool = False,
        with_imports: bool = False,
    ) -> builtins.list[Job]:
        """The owner's jobs, the newest first: those that are in the trash, or those that are not.

        Args:
            task: None for all tasks; IMPORTED for the files that were brought into the gallery.
            with_imports: Whether imported files are among all tasks' jobs.

        Raises: InvalidRequest for an unknown task.
        """
        if task not in (None, IMPORTED):
            request_class(str(task))
        return self._store.list_jobs(owner, task, limit, trashed, with_imports)

    def waiting(self, owner: str = LOCAL) -> builtins.list[Job]:
        """The owner's jobs that are not over: those that run, then the queued and paused ones in their order."""
        return self._store.waiting(owner)

    def events(self, job_id: str, owner: str = LOCAL) -> builtins.list[Event]:
        """What happened to the job, the oldest first. Its log's end: `Job.log_tail`. Raises: NotAvailable."""
        return self._store.events(job_id, owner)

    def move(self, job_id: str, direction: Direction, owner: str = LOCAL) -> Job:
        """Moves a waiting job "up", "down", "first" or "last" among the owner's own.

        It takes over the priority of the job that it passes.

        Raises: NotAvailable; InvalidRequest for another direction, or if the job does not wait.
        """
        if direction not in DIRECTIONS:
            raise InvalidRequest(
                f"A job cannot be moved “{direction}”.", f"Choose one of: {', '.join(DIRECTIONS)}.", "direction"
            )
        return self._store.move(job_id, direction, owner)

    def set_priority(self, job_id: str, priority: str, owner: str = LOCAL) -> Job:
        """Puts a waiting job among the owner's others of this priority: "high", "normal" or "low".

        Raises: NotAvailable; InvalidRequest for another priority, or if the job does not wait.
        """
        return self._store.set_priority(job_id, priority_number(priority), owner)

    def pause(self, job_id: str, owner: str = LOCAL) -> Job:
        """A queued job waits at once, a running one stops at the end of its chunk and its models leave the memory.

        Until then it is `pausing`; a task that has no chunks runs to its end. One that is over stays as it is.

        Raises: NotAvailable.
        """
        return self._store.pause(job_id, owner)

    def resume(self, job_id: str, owner: str = LOCAL) -> Job:
        """A paused job has its turn again, in its old place; one that is still pausing runs on.

        Raises: NotAvailable.
        """
        job = self._store.resume(job_id, owner)
        self._worker.wake()
        return job

    def cancel(self, job_id: str, owner: str = LOCAL) -> Job:
        """A queued or paused job is cancelled at once, a running one at its next step; one that is over stays as it is.

        Raises: NotAvailable.
        """
        return self._store.cancel(job_id, owner)

    def retry(self, job_id: str, owner: str = LOCAL) -> Job:
        """Queues a failed, cancelled or interrupted job again, in the same folder, so finished parts are kept.

        Raises: NotAvailable; InvalidRequest if the job waits, runs or is done; LimitExceeded if the owner's renders use
            as much of the disk as they may.
        """
        self.disk.check_room(owner)
        job = self._store.retry(job_id, owner)
        self._worker.wake()
        return job

    def delete(self, job_id: str, owner: str = LOCAL) -> Job:
        """Cancels the job if it is not over and puts it into the trash. Files stay until the trash is emptied.

        That is done by `disk.empty_trash`, and for what lies there longer than disk.TRASH_DAYS by itself.

        Raises: NotAvailable.
        """
        self._store.cancel(job_id, owner)
        return self._store.set_trashed(job_id, owner, True)

    def restore(self, job_id: str, owner: str = LOCAL) -> Job:
        """Takes a job out of the trash. Raises: NotAvailable."""
        return self._store.set_trashed(job_id, owner, False)

    def set_favourite(self, job_id: str, favourite: bool, owner: str = LOCAL) -> Job:
        """Gives a job its star, or takes it away. Raises: NotAvailable."""
        return self._store.set_favourite(job_id, owner, favourite)

    def estimate(self, task: str, fields: dict[str, Any], owner: str = LOCAL) -> Estimate:
        """What this request would take, learnt from the owner's finished jobs of the same task and model.

        Raises: InvalidRequest; MediaError or LimitExceeded for an input that cannot be read.
        """
        request = parse_request(request_class(task), fields)
        check_given(request)
        known = self._store.finished_runs(owner, task)
        use = None if self.disk.allowed is None else self.disk.use(owner)
        return with_warnings(estimate(request.model_dump(mode="json"), facts_of(request), known), self.home, use)

    def expected_seconds(self, owner: str, jobs: Sequence[Job]) -> dict[str, float]:
        """Job → seconds that it will take; of jobs that nothing is known of, nothing."""
        known = {task: self._store.finished_runs(owner, task) for task in {job.task for job in jobs}}
        told = {job.id: estimate(job.fields, job.inputs, known[job.task]).seconds for job in jobs}
        return {job_id: seconds for job_id, seconds in told.items() if seconds is not None}

    def save_form(self, owner: str, task: str, values: dict[str, Any]) -> None:
        """Keeps form values, as JSON, until the next time."""
        self._store.save_form(owner, task, values)

    def load_form(self, owner: str, task: str) -> dict[str, Any] | None:
        """The values that were saved last, None if there are none."""
        return self._store.load_form(owner, task)

    @property
    def worker_process_id(self) -> int | None:
        """The process that renders, None if none has been started yet."""
        return self._worker.process_id


def _check_key(key: str | None) -> None:
    if key is not None and not (isinstance(key, str) and 1 <= len(key) <= 200 and key.isprintable()):
        raise InvalidRequest(
            "The idempotency key is not allowed.", "Send 1 to 200 printable characters, or none.", "idempotency_key"
        )
