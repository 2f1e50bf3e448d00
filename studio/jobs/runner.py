"""One job after another: engine, progress, preview, outcome. Used by the worker process and the worker thread alike."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engines.context import CancelToken, Progress, RunContext
from engines.errors import Cancelled, Paused
from engines.task import Engine, make_engine, parse_request, request_class
from studio.home import database_path, job_folder
from studio.jobs.database import Database
from studio.jobs.disk import Disk
from studio.jobs.dispatch import Assignment, Dispatch, Needed
from studio.jobs.failure import as_error_data, is_out_of_memory, studio_closed
from studio.jobs.gauge import Gauge
from studio.jobs.inputs import check_kept, spelled_out
from studio.jobs.learning import estimate
from studio.jobs.preview import write_preview
from studio.jobs.quota import quota_from_environment
from studio.jobs.store import JobStore
from studio.jobs.timing import PhaseClock

logger = logging.getLogger(__name__)

PREVIEW_SECONDS = 0.25


class Runner:
    """Takes queued jobs and renders them. Engines, and so their models, are kept from job to job.

    Args:
        home: The studio's folder, see studio.home.
        worker: The name that jobs are taken under.
        stopping: Set when the studio closes: the running job then stops at its next step and is queued again.
    """

    def __init__(self, home: Path, worker: str, stopping: threading.Event | None = None) -> None:
        self._home = home
        self._worker = worker
        self._stopping = stopping or threading.Event()
        self._database = Database(database_path(home), durable=False)
        self._dispatch = Dispatch(self._database)
        self._store = JobStore(self._database, home)
        self._disk = Disk(self._database, home, quota_from_environment())
        self._engines: dict[str, Engine] = {}

    def close(self) -> None:
        self._database.close()

    def work(self, wake: threading.Event) -> None:
        """Renders whatever is queued, sleeps until `wake` is set, and so on until the studio closes."""
        while not self._stopping.is_set():
            # Cleared before looking: a job that arrives in between sets it again and is seen.
            wake.clear()
            while not self._stopping.is_set() and self.run_next():
                pass
            wake.wait()

    def run_next(self) -> bool:
        """Renders the first queued job. Returns whether there was one."""
        job = self._dispatch.take_next(self._worker)
        if job is None:
            return False
        folder = job_folder(self._home, job.job_id)
        log = folder / "log.txt"
        is_pausing = False
        # SystemExit too: an engine that exits must not take the queue with it.
        try:
            (folder / "work").mkdir(parents=True, exist_ok=True)
            with _logging_to(log):
                self._run(job, folder)
        except Cancelled:
            if self._stopping.is_set():
                self._dispatch.release_running(studio_closed(), is_crash=False)
            else:
                self._dispatch.cancelled(job.job_id, self._worker)
        except Paused:
            is_pausing = True
        except (Exception, SystemExit) as error:
            self._dispatch.failed(job.job_id, self._worker, as_error_data(error, log))
            if is_out_of_memory(error):
                self._engines.clear()
        if is_pausing:
            # Whoever pauses wants the machine for something else: models go, and only then the job says so. Not in the
            # handler above, where the exception still holds what the engine worked on.
            self._engines.clear()
        self._tidy()
        if is_pausing:
            self._dispatch.paused(job.job_id, self._worker)
        return True

    def _run(self, job: Assignment, folder: Path) -> None:
        try:
            if job.attempt == 1:
                # It was asked at the submit, too; meanwhile the jobs before this one have written theirs.
                self._disk.check_room(job.owner)
            request = parse_request(request_class(job.task), spelled_out(job.fields, job.inputs, folder))
            check_kept(request)
            desk = _ProgressDesk(job, self._worker, folder, self._dispatch, self._expected_phases(job))
            with Gauge(folder) as gauge:
                engine = self._engine(job.task, desk)
                warnings = engine.check(request)
                self._dispatch.warn(job.job_id, self._worker, warnings)
                result = engine.run(request, self._context(job, folder, desk))
            self._dispatch.warn(job.job_id, self._worker, list(dict.fromkeys(warnings + result.warnings)))
            needed = _needed(job, desk.clock.finish(time.monotonic()), gauge)
            self._dispatch.finish(job.job_id, self._worker, folder, result, needed)
        except (Cancelled, Paused):
            raise
        except (Exception, SystemExit):
            logger.exception("Job %s (%s) failed. Its request: %s", job.job_id, job.task, job.fields)
            raise

    def _context(self, job: Assignment, folder: Path, desk: _ProgressDesk) -> RunContext:
        may_go_on = self._dispatch.may_go_on
        token = CancelToken(lambda: self._stopping.is_set() or not may_go_on(job.job_id, self._worker))

        def at_border() -> None:
            if self._dispatch.chunk_finished(job.job_id, self._worker):
                raise Paused("The job waits at the end of a chunk.")

        return RunContext(folder / "work", desk.report, token, chunk_border=at_border)

    def _engine(self, task: str, desk: _ProgressDesk) -> Engine:
        if task not in self._engines:
            # Importing torch takes seconds: without a word the page would look stuck.
            desk.report(Progress("loading", 0, 1, message="Starting the engine."))
            self._engines[task] = make_engine(task)
        return self._engines[task]

    def _expected_phases(self, job: Assignment) -> dict[str, float]:
        return estimate(job.fields, job.inputs, self._store.finished_runs(job.owner, job.task)).phases

    def _tidy(self) -> None:
        """Gives back what the job leaves; what the engines still hold stays loaded."""
        gc.collect()
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()


def _needed(job: Assignment, phase_seconds: dict[str, float], gauge: Gauge) -> Needed:
    if job.attempt > 1:
        # A run that found finished parts was shorter than the request is long: nothing to learn from.
        return Needed(None, None, gauge.disk_bytes)
    return Needed(phase_seconds, gauge.memory_bytes, gauge.disk_bytes)


class _ProgressDesk:
    """Receives one job's reports: preview to the folder, numbers to the store."""

    def __init__(
        self, job: Assignment, worker: str, folder: Path, dispatch: Dispatch, expected: dict[str, float]
    ) -> None:
        self.clock = PhaseClock(expected, time.monotonic())
        self._job = job
        self._worker = worker
        self._folder = folder
        self._dispatch = dispatch
        self._preview_version = job.preview_version
        self._preview_time = 0.0

    def report(self, progress: Progress) -> None:
        """Raises Cancelled if the job is no longer this worker's."""
        left = self.clock.record(progress, time.monotonic())
        if progress.preview is not None and time.monotonic() - self._preview_time >= PREVIEW_SECONDS:
            fps = float(self._job.fields.get("fps") or 12)
            write_preview(self._folder / "preview.webp", progress.preview, fps)
            self._preview_version += 1
            self._preview_time = time.monotonic()
        if not self._dispatch.report(self._job.job_id, self._worker, progress, left, self._preview_version):
            raise Cancelled("The job was given to another worker.")


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """What this thread logs goes to the file as well, until the block ends."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    this_thread = threading.get_ident()
    handler.addFilter(lambda record: record.thread == this_thread)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
