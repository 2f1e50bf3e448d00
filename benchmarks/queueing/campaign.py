"""The whole run: jobs submitted while others render, processes killed on the way, everything written down."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.queueing.killing import Kill, Killer
from benchmarks.queueing.observer import Observer
from benchmarks.queueing.requests import Wanted, make_requests
from benchmarks.queueing.studio import Studio
from engines.footage.rendering import CHUNK_FRAMES
from studio.jobs.queue import JobQueue

TASK = "interpolation"
# Jobs that wait or run at a time: enough to show an order, few enough that estimates can learn from those before.
AT_ONCE = 5
# Jobs that are not over when the last process is killed.
LEFT_AT_LAST = 2
LEARNING_JOBS = 10
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Plan:
    """How much of what.

    Attributes:
        jobs: How many are submitted.
        quiet: Of these, how many are over before the first kill: memory and estimates are measured on them too.
        kills: Kinds, in a random order at random points.
    """

    jobs: int
    quiet: int
    kills: tuple[str, ...]
    seed: int = 4


@dataclass
class Record:
    """What happened.

    Attributes:
        wanted: Job → its request.
        lengths: Job → frames of its result.
        keys: Idempotency key → job.
        estimates: Job → seconds that the studio promised when it was submitted.
        memory: Worker process → its resident bytes at the end of each job.
    """

    wanted: dict[str, Wanted] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    estimates: dict[str, float] = field(default_factory=dict)
    memory: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    kills: list[Kill] = field(default_factory=list)


class Campaign:
    """Args:
    plan: How much of what.
    folder: Empty; everything is written there.
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.record = plan, Record()
        self.home = folder / "home"
        self._random = np.random.default_rng(plan.seed)
        self._requests: Sequence[Wanted] = make_requests(folder)
        self._studio = Studio(self.home, folder / "studio.log")

    def run(self) -> None:
        """Raises: RuntimeError if no job ends for ten minutes."""
        self._studio.start()
        self._observer = Observer(self.home, CHUNK_FRAMES)
        self._queue = JobQueue(self.home)  # not started: it only estimates, as the page does
        self._killer = Killer(self._studio, self._observer, self.record.lengths, self._fill, self._random)
        try:
            self._work()
        finally:
            self._studio.stop()
            self._queue.stop()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._observer.rows(query)

    def _work(self) -> None:
        kills = self._schedule()
        over, since = 0, time.monotonic()
        while over < self.plan.jobs:
            self._fill()
            statuses = self._observer.statuses().values()
            now_over = sum(status not in ("queued", "running", "paused") for status in statuses)
            if now_over != over:
                over, since = now_over, time.monotonic()
                self._note_memory()
            if kills and over >= kills[0][0]:
                self._kill(kills.pop(0)[1])
            if time.monotonic() - since > PATIENCE_SECONDS:
                raise RuntimeError(f"no job has ended for {PATIENCE_SECONDS:.0f} s; {over} are over")
            time.sleep(LOOK_SECONDS)

    def _schedule(self) -> list[tuple[int, str]]:
        """(jobs that are over, kind), each point once."""
        last = self.plan.jobs - LEFT_AT_LAST
        points = self._random.choice(np.arange(self.plan.quiet, last), len(self.plan.kills), replace=False)
        return list(zip(sorted(map(int, points)), map(str, self._random.permutation(self.plan.kills)), strict=True))

    def _fill(self) -> None:
        unfinished = sum(status in ("queued", "running") for status in self._observer.statuses().values())
        while len(self.record.keys) < self.plan.jobs and unfinished < AT_ONCE:
            self._submit()
            unfinished += 1

    def _submit(self) -> None:
        index = len(self.record.keys)
        key, wanted = f"job {index}", self._requests[index % len(self._requests)]
        told = self._queue.estimate(TASK, wanted.fields)
        job_id = self._studio.submit(wanted.fields, key)
        self.record.keys[key], self.record.wanted[job_id], self.record.lengths[job_id] = job_id, wanted, wanted.frames
        if told.seconds is not None and told.based_on and self._done_before() >= LEARNING_JOBS:
            self.record.estimates[job_id] = told.seconds

    def _done_before(self) -> int:
        return sum(status == "done" for status in self._observer.statuses().values())

    def _kill(self, kind: str) -> None:
        if kind == "web":
            self.record.kills.append(self._killer.web())
        elif kind == "web, submitting":
            index = len(self.record.keys) % self.plan.jobs
            wanted = self._requests[index % len(self._requests)]
            submit = partial(self._studio.submit, wanted.fields, f"job {index}")
            self.record.kills.append(self._killer.web_while_submitting(submit))
        else:
            self.record.kills.append(self._killer.worker(kind))

    def _note_memory(self) -> None:
        worker = self._studio.worker()
        if worker is not None:
            self.record.memory[worker.pid].append(worker.memory_info().rss)
