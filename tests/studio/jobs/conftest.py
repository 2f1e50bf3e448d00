from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines.task import TASKS
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue

PACKAGE = "tests.studio.jobs.fake_task"
REGISTER = f"{PACKAGE}.register"


@pytest.fixture(autouse=True)
def fake_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS, "fake", PACKAGE)


@pytest.fixture
def waiting_queue(tmp_path: Path) -> Iterator[JobQueue]:
    """Not started: everything waits."""
    queue = JobQueue(tmp_path / "home", worker="inline")
    yield queue
    queue.stop()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    """With the real worker process."""
    with JobQueue(tmp_path / "home", modules=[REGISTER]) as queue:
        yield queue


@pytest.fixture
def inline_queue(tmp_path: Path) -> Iterator[JobQueue]:
    with JobQueue(tmp_path / "home", worker="inline") as queue:
        yield queue


def kill_worker(queue: JobQueue) -> int:
    """As the kernel does when memory runs out. Returns: the process's id."""
    process_id = queue.worker_process_id
    assert process_id is not None
    os.kill(process_id, signal.SIGKILL)
    return process_id


def wait_until(what: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def wait_for_end(queue: JobQueue, job: Job, owner: str = "local") -> Job:
    wait_until(lambda: queue.get(job.id, owner).is_over)
    return queue.get(job.id, owner)


def wait_for_step(queue: JobQueue, job: Job, step: int = 1) -> Job:
    wait_until(lambda: queue.get(job.id).step >= step)
    return queue.get(job.id)
