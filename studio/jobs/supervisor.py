"""Starts, watches and ends the worker: a child process (ProcessWorker) or a thread of this process (InlineWorker)."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from studio.home import worker_log_path
from studio.jobs.dispatch import Dispatch
from studio.jobs.failure import studio_closed, worker_died, worker_does_not_start
from studio.jobs.runner import Runner

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.2
FAILED_STARTS = 3
# A step of a large model may take this long; a worker that is still silent then is ended for its cancelled job.
CANCEL_PATIENCE_SECONDS = 90.0
TERMINATE_SECONDS = 5.0
STEP_SECONDS = 30.0


class Worker(Protocol):
    """What the queue asks of either kind."""

    def start(self) -> None: ...

    def wake(self) -> None:
        """A job was queued."""

    def stop(self) -> None:
        """Ends the worker. What was running is queued again and goes on at the next start."""

    @property
    def process_id(self) -> int | None: ...


class ProcessWorker:
    """Keeps one worker process alive while there is work. It is started with the first job, not before.

    Args:
        home: The studio's folder.
        dispatch: For marking what a dead worker left.
        modules: Imported by the worker before its first job; they may register further tasks.
        cancel_patience_seconds: How long a cancelled job may go without a step before its worker is ended.
    """

    def __init__(
        self,
        home: Path,
        dispatch: Dispatch,
        modules: Sequence[str] = (),
        cancel_patience_seconds: float = CANCEL_PATIENCE_SECONDS,
    ) -> None:
        self._home = home
        self._dispatch = dispatch
        self._modules = modules
        self._cancel_patience = cancel_patience_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._name = ""
        self._failed_starts = 0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="worker-supervisor", daemon=True)

    def start(self) -> None:
        worker_log_path(self._home).write_bytes(b"")
        self._wake.set()
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        if self._process is not None:
            self._end(self._process)
            self._process = None
        self._dispatch.release_running(studio_closed(), is_crash=False)

    @property
    def process_id(self) -> int | None:
        process = self._process
        return None if process is None else process.pid

    def _watch(self) -> None:
        while not self._stopping.is_set():
            asked = self._wake.wait(None if self._process is None else WATCH_SECONDS)
            self._wake.clear()
            if self._stopping.is_set():
                return
            try:
                self._look(asked)
            except Exception:
                # The watch must go on: without it no job would ever run again.
                logger.exception("The supervisor of the worker process met an error.")
                self._stopping.wait(WATCH_SECONDS)

    def _look(self, asked: bool) -> None:
        if self._process is not None and self._process.poll() is not None:
            _close_pipe(self._process)
            self._bury(self._process.returncode)
        if self._process is None:
            if self._dispatch.has_queued():
                self._spawn()
        elif asked:
            self._nudge(self._process)
        elif self._dispatch.has_cancel_older_than(self._cancel_patience):
            logger.warning("A cancelled job came to no step for %s s; its worker is ended.", self._cancel_patience)
            self._end(self._process)

    def _spawn(self) -> None:
        self._name = secrets.token_hex(8)
        command = [sys.executable, "-m", "studio.jobs.worker", "--home", str(self._home), "--name", self._name]
        for module in self._modules:
            command += ["--import", module]
        repository = str(Path(__file__).resolve().parents[2])
        paths = [repository, *filter(None, [os.environ.get("PYTHONPATH")])]
        with worker_log_path(self._home).open("ab") as log:
            # A session of its own: Ctrl+C in the terminal is for the studio, which then ends the worker.
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip

    def _nudge(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(b"\n")
            process.stdin.flush()
        except OSError:
            # It died since we looked; the next look buries it and starts another for what is queued.
            self._wake.set()

    def _bury(self, exit_code: int) -> None:
        # Asked first: a job that is released forgets its worker.
        has_worked = self._dispatch.has_worked(self._name)
        released = self._dispatch.release_running(worker_died(exit_code), is_crash=True)
        logger.warning("The worker process ended with %s; %s job was running.", exit_code, released or "no")
        self._process = None
        self._failed_starts = 0 if has_worked else self._failed_starts + 1
        if self._failed_starts >= FAILED_STARTS:
            self._failed_starts = 0
            error = worker_does_not_start(f"exit code {exit_code}", worker_log_path(self._home))
            self._dispatch.interrupt_queued(error)

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(TERMINATE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _close_pipe(process)


def _close_pipe(process: subprocess.Popen[bytes]) -> None:
    """Ours to close: a pipe whose reader is dead may hold a byte that can no longer be flushed."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


class InlineWorker:
    """Renders in a thread of this process: for tests, and where the GPU is lent to this process only (ZeroGPU)."""

    def __init__(self, home: Path, dispatch: Dispatch) -> None:
        self._home = home
        self._dispatch = dispatch
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="inline-worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self._thread.join(STEP_SECONDS)
        self._dispatch.release_running(studio_closed(), is_crash=False)

    @property
    def process_id(self) -> int | None:
        return os.getpid()

    def _work(self) -> None:
        runner = Runner(self._home, secrets.token_hex(8), self._stopping)
        try:
            runner.work(self._wake)
        finally:
            runner.close()
