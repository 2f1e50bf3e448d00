"""Kills a studio's processes: at a random point, while a result is being encoded, inside a database write.

To hit a moment of less than a millisecond for certain, the process is stopped (SIGSTOP), looked at while it stands, and
then killed, or let go on until the next time. A stopped process does nothing more: it dies at that very point.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import psutil  # type: ignore[import-untyped]

from benchmarks.queueing.observer import Moment, Observer
from benchmarks.queueing.studio import GONE, Studio

PATIENCE_SECONDS = 300.0
# Longer than a job, so that any point of one may be hit.
LONGEST_WAIT_SECONDS = 8.0
LOOK_SECONDS = 0.0002


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
    random: Decides the points.
    """

    def __init__(self, studio: Studio, observer: Observer, random: np.random.Generator) -> None:
        self._studio, self._observer, self._random = studio, observer, random

    def worker(self, kind: str, lengths: Mapping[str, int]) -> Kill:
        """Kills the worker in the middle of a job. Raises: RuntimeError if the moment never comes."""
        hit: dict[str, Callable[[psutil.Process, str], bool]] = {
            "random": lambda worker, job: True,
            "encoding": lambda worker, job: self._observer.is_encoding(job),
            "database": lambda worker, job: self._observer.writing_process() == worker.pid,
        }
        time.sleep(self._random.uniform(0, LONGEST_WAIT_SECONDS))
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            worker, job = self._studio.worker(), self._observer.running_id()
            if worker is None or job is None:
                time.sleep(0.05)
                continue
            if self._comes(hit[kind], worker, job) and (moment := self._die(hit[kind], worker, job, lengths)):
                return Kill(kind, moment)
        raise RuntimeError(f"the worker was never met at: {kind}")

    def _comes(self, hit: Callable[[psutil.Process, str], bool], worker: psutil.Process, job: str) -> bool:
        """Looks for half a second at most: then the job may be another one."""
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            if hit(worker, job):
                return True
            time.sleep(LOOK_SECONDS)
        return False

    def _die(
        self, hit: Callable[[psutil.Process, str], bool], worker: psutil.Process, job: str, lengths: Mapping[str, int]
    ) -> Moment | None:
        """Stops the worker; kills it if it still is where it shall be hit. Returns: the job then, None if missed."""
        try:
            worker.suspend()
            while worker.status() != psutil.STATUS_STOPPED:
                time.sleep(LOOK_SECONDS)
            moment = self._observer.running(lengths)
            if moment is None or moment.job_id != job or not hit(worker, job):
                worker.resume()
                return None
            worker.kill()
        except psutil.NoSuchProcess:
            return None
        return moment

    def web(self, lengths: Mapping[str, int]) -> Kill:
        """Kills the web process, which takes the worker with it, and starts the studio again."""
        time.sleep(self._random.uniform(0, LONGEST_WAIT_SECONDS))
        self._studio.kill_web()
        moment = self._observer.running(lengths)
        self._studio.start()
        return Kill("web", moment)

    def web_while_submitting(self, submit: Callable[[], object], lengths: Mapping[str, int]) -> Kill:
        """The same a moment after a client has begun to submit a job; the client then asks again, with the same key."""
        thread = threading.Thread(target=_without_an_answer, args=(submit,), daemon=True)
        thread.start()
        time.sleep(self._random.uniform(0, 0.15))
        self._studio.kill_web()
        thread.join()
        moment = self._observer.running(lengths)
        self._studio.start()
        return Kill("web, submitting", moment)


def _without_an_answer(submit: Callable[[], object]) -> None:
    try:
        submit()
    except GONE:
        return
