"""The render queue, as the page and the API use it."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from engines.errors import InvalidRequest, ResourceError
from engines.task import parse_request, request_class
from studio.home import VARIABLE, check_free_space, database_path, job_folder, prepare_home
from studio.jobs import timing
from studio.jobs.database import Database
from studio.jobs.dispatch import Dispatch
from studio.jobs.failure import studio_died
from studio.jobs.job import Estimate, Job
from studio.jobs.lock import StudioLock
from studio.jobs.store import JobStore, new_job_id
from studio.jobs.supervisor import InlineWorker, ProcessWorker, Worker

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

    Raises: ResourceError if the folder or the library in it cannot be written.
    """

    def __init__(
        self, home: Path, worker: Literal["process", "inline"] = "process", modules: Sequence[str] = ()
    ) -> None:
        self.home = prepare_home(home)
        self._database = Database(database_path(self.home))
        self._store = JobStore(self._database, self.home)
        self._dispatch = Dispatch(self._database)
        self._lock = StudioLock(self.home / "studio.lock")
        self._worker: Worker = (
            ProcessWorker(self.home, self._dispatch, modules)
            if worker == "process"
            else InlineWorker(self.home, self._dispatch)
        )
        self._started = False

    def start(self) -> None:
        """Marks what a dead studio left running as interrupted; jobs that it left queued go on.

        Raises: ResourceError if another studio uses this folder.
        """
        self._lock.acquire()
        self._dispatch.interrupt_running(studio_died())
        self._worker.start()
        self._started = True

    def stop(self) -> None:
        """Ends the worker and closes the library. What runs is interrupted, what is queued waits for the next start."""
        if self._started:
            self._worker.stop()
            self._lock.release()
            self._started = False
        self._database.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def submit(self, task: str, fields: dict[str, Any], owner: str = LOCAL, idempotency_key: str | None = None) -> Job:
        """Stores a request as a queued job; the worker takes it when the jobs before it are over.

        Args:
            idempotency_key: 1 to 200 printable characters. The same key from the same owner again returns the job of
                the first time.

        Raises:
            InvalidRequest: unknown task or field, a value that is not allowed, or a key used for another request.
            ResourceError: the disk is full or the studio's folder cannot be written.
        """
        request = parse_request(request_class(task), fields)
        _check_key(idempotency_key)
        check_free_space(self.home)
        job_id = new_job_id()
        folder = job_folder(self.home, job_id)
        try:
            folder.mkdir()
        except OSError as error:
            raise ResourceError(
                f"The job's folder {folder} cannot be made: {error.strerror or error}.",
                f"Make {self.home} writable, or set {VARIABLE} to another folder and start again.",
            ) from error
        try:
            job = self._store.add(job_id, task, request.model_dump(mode="json"), owner, idempotency_key)
        except BaseException:
            folder.rmdir()
            raise
        if job.id != job_id:
            folder.rmdir()
        self._worker.wake()
        return job

    def get(self, job_id: str, owner: str = LOCAL) -> Job:
        """Raises NotAvailable for an unknown job or somebody else's."""
        return self._store.get(job_id, owner)

    def list(
        self, owner: str = LOCAL, task: str | None = None, limit: int = 50, trashed: bool = False
    ) -> builtins.list[Job]:
        """The owner's jobs, the newest first: those that are in the trash, or those that are not.

        Raises: InvalidRequest for an unknown task.
        """
        if task is not None:
            request_class(task)
        return self._store.list_jobs(owner, task, limit, trashed)

    def cancel(self, job_id: str, owner: str = LOCAL) -> Job:
        """A queued job is cancelled at once, a running one at its next step; one that is over stays as it is.

        Raises: NotAvailable.
        """
        return self._store.cancel(job_id, owner)

    def retry(self, job_id: str, owner: str = LOCAL) -> Job:
        """Queues a failed, cancelled or interrupted job again, in the same folder, so finished parts are kept.

        Raises: NotAvailable; InvalidRequest if the job is queued, running or done.
        """
        job = self._store.retry(job_id, owner)
        self._worker.wake()
        return job

    def delete(self, job_id: str, owner: str = LOCAL) -> Job:
        """Cancels the job if it is not over and puts it into the trash. Files stay until the trash is emptied.

        Raises: NotAvailable.
        """
        self._store.cancel(job_id, owner)
        return self._store.set_trashed(job_id, owner, True)

    def restore(self, job_id: str, owner: str = LOCAL) -> Job:
        """Takes a job out of the trash. Raises: NotAvailable."""
        return self._store.set_trashed(job_id, owner, False)

    def estimate(self, task: str, fields: dict[str, Any], owner: str = LOCAL) -> Estimate:
        """How long this request would take, learnt from the owner's finished jobs of the same task and model.

        Raises: InvalidRequest.
        """
        request = parse_request(request_class(task), fields)
        return timing.estimate(request.model_dump(mode="json"), self._store.finished_runs(owner, task))

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
