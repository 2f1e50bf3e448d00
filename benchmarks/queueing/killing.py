"""Kills a studio's processes: at a random point, while a result is being encoded, inside a database write.

To hit a moment of less than a millisecond for certain, the process is stopped (SIGSTOP), looked at while it stands, and
then killed, or let go on until the next time. A stopped process does nothing more: it dies at that very point.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import psutil  # type: ignore[import-untyped]

from benchmarks.queueing.observer import Moment, Observer
from benchmarks.queueing.studio import GONE, Studio

PATIENCE_SECONDS = 120.0
# Longer than a job, so that any point of one may be hit.
LONGEST_WAIT_SECONDS = 8.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Kill:
    """What was killed and when.

    Attributes:
        kind: "random", "encoding", "database", "web" or "web, submitting".
        moment: The job that ran then; None if none did.
    """

    kind: str
    moment: Moment | None


class Killer:
    """Args:
    studio, observer: Of the same folder.
    lengths: Job → frames of its result; grows while jobs are submitted.
    keep_busy: Submits what there is room for; called while the right moment is waited for.
    random: Decides the points.
    """

    def __init__(
        self, studio: Studio, observer: Observer, lengths: Mapping[str, int], keep_busy: Callable[[], None],
        random: np.random.Generator,
    ) -> None:  # fmt: skip
        self._studio, self._observer, self._random = studio, observer, random
        self._lengths, self._keep_busy = lengths, keep_busy

    def worker(self, kind: str) -> Kill:
        """Kills the worker in the middle of a job. Raises: RuntimeError if the moment never comes."""
        time.sleep(self._random.uniform(0, LONGEST_WAIT_SECONDS))
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            self._keep_busy()
            worker, job = self._studio.worker(), self._observer.running_id()
            if worker is None or job is None:
                time.sleep(LOOK_SECONDS)
            elif moment := self._killed(worker, job, self._is_there(kind, worker.pid, job)):
                return Kill(kind, moment)
        raise RuntimeError(f"the worker was never met at: {kind}")

    def _is_there(self, kind: str, process: int, job: str) -> Callable[[], bool]:
        """Whether the worker is where it shall be hit."""
        if kind == "encoding":
            return partial(self._observer.is_encoding, job)
        if kind == "database":
            return lambda: self._observer.writing_process() == process
        return lambda: True

    def _killed(self, worker: psutil.Process, job: str, is_there: Callable[[], bool]) -> Moment | None:
        """Looks for a second without a pause: a write takes less than a millisecond. Returns: None if it was missed."""
        until = time.monotonic() + 1.0
        try:
            while time.monotonic() < until:
                if is_there():
                    os.kill(worker.pid, signal.SIGSTOP)
                    while worker.status() != psutil.STATUS_STOPPED:
                        pass
                    moment = self._observer.running(self._lengths)
                    if moment is not None and moment.job_id == job and is_there():
                        worker.kill()
                        return moment
                    worker.resume()
        except (psutil.NoSuchProcess, ProcessLookupError):
            return None
        return None

    def web(self) -> Kill:
        """Kills the web process, which takes the worker with it, and starts the studio again."""
        time.sleep(self._random.uniform(0, LONGEST_WAIT_SECONDS))
        self._studio.kill_web()
        moment = self._observer.running(self._lengths)
        self._studio.start()
        return Kill("web", moment)

    def web_while_submitting(self, submit: Callable[[], object]) -> Kill:
        """The same a moment after a client has begun to submit a job; the client then asks again, with the same key."""
        thread = threading.Thread(target=_without_an_answer, args=(submit,), daemon=True)
        thread.start()
        time.sleep(self._random.uniform(0, 0.15))
        self._studio.kill_web()
        thread.join()
        moment = self._observer.running(self._lengths)
        self._studio.start()
        return Kill("web, submitting", moment)


def _without_an_answer(submit: Callable[[], object]) -> None:
    try:
        submit()
    except GONE:
        return
