"""A job that waits on request: at once, or from its next chunk border on."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.errors import InvalidRequest
from studio.home import database_path
from studio.jobs.database import Database
from studio.jobs.dispatch import Dispatch
from studio.jobs.queue import JobQueue
from tests.studio.jobs.conftest import REGISTER, kill_worker, wait_for_end, wait_for_step, wait_until

CHUNKED = {"steps": 40, "step_seconds": 0.02, "chunk_steps": 5}


def test_a_queued_job_waits_at_once_and_keeps_its_place(waiting_queue: JobQueue) -> None:
    first, second = (waiting_queue.submit("fake", {"text": name}) for name in "ab")
    paused = waiting_queue.pause(first.id)
    assert (paused.status, paused.position, paused.is_over, paused.seconds_running) == ("paused", None, False, 0.0)
    assert waiting_queue.get(second.id).position == 1
    assert [job.id for job in waiting_queue.waiting()] == [first.id, second.id]
    waiting_queue.start()
    assert wait_for_end(waiting_queue, second).status == "done"
    assert waiting_queue.get(first.id).status == "paused"
    assert waiting_queue.resume(first.id).status in ("queued", "running")
    done = wait_for_end(waiting_queue, first)
    assert (done.status, done.attempt) == ("done", 1)


def test_a_resumed_job_has_its_old_place(waiting_queue: JobQueue) -> None:
    first, _ = (waiting_queue.submit("fake", {"text": name}) for name in "ab")
    waiting_queue.pause(first.id)
    assert waiting_queue.resume(first.id).position == 1


def test_a_running_job_stops_at_its_chunk_border_and_goes_on_from_there(inline_queue: JobQueue) -> None:
    job = inline_queue.submit("fake", CHUNKED)
    wait_for_step(inline_queue, job, 6)
    asked = inline_queue.pause(job.id)
    assert (asked.status, asked.pausing) == ("running", True)
    wait_until(lambda: inline_queue.get(job.id).status == "paused")
    paused = inline_queue.get(job.id)
    assert paused.step % 5 == 0
    assert asked.step <= paused.step <= asked.step + 5
    assert (paused.pausing, paused.seconds_left, paused.finished) == (False, None, None)
    assert paused.seconds_running == inline_queue.get(job.id).seconds_running > 0
    inline_queue.resume(job.id)
    done = wait_for_end(inline_queue, job)
    assert (done.status, done.attempt) == ("done", 2)
    assert done.result is not None
    assert done.result.measurements["made"] == 40 - paused.step
    assert done.result.measurements["jobs_of_this_engine"] == 1, "the engine was not let go"
    kinds = [event.kind for event in inline_queue.events(job.id) if event.kind != "chunk"]
    assert kinds == ["submitted", "started", "paused", "queued", "started", "done"]


def test_others_are_rendered_while_it_waits(inline_queue: JobQueue) -> None:
    job = inline_queue.submit("fake", CHUNKED)
    other = inline_queue.submit("fake", {})
    wait_for_step(inline_queue, job)
    inline_queue.pause(job.id)
    assert wait_for_end(inline_queue, other).status == "done"
    assert inline_queue.get(job.id).status == "paused"


def test_resumed_before_the_border_it_runs_on(inline_queue: JobQueue) -> None:
    job = inline_queue.submit("fake", {**CHUNKED, "chunk_steps": 20})
    wait_for_step(inline_queue, job)
    assert inline_queue.pause(job.id).pausing
    assert not inline_queue.resume(job.id).pausing
    done = wait_for_end(inline_queue, job)
    assert (done.status, done.attempt) == ("done", 1)


def test_a_job_without_chunks_runs_to_its_end(inline_queue: JobQueue) -> None:
    job = inline_queue.submit("fake", {"steps": 20})
    wait_for_step(inline_queue, job)
    inline_queue.pause(job.id)
    done = wait_for_end(inline_queue, job)
    assert (done.status, done.pausing) == ("done", False)


def test_a_paused_job_can_be_cancelled_and_retried(waiting_queue: JobQueue) -> None:
    job = waiting_queue.submit("fake", {})
    waiting_queue.pause(job.id)
    with pytest.raises(InvalidRequest, match="Wait for it or cancel it"):
        waiting_queue.retry(job.id)
    cancelled = waiting_queue.cancel(job.id)
    assert cancelled.status == "cancelled"
    assert cancelled.finished is not None
    assert waiting_queue.pause(job.id).status == waiting_queue.resume(job.id).status == "cancelled"
    waiting_queue.retry(job.id)
    waiting_queue.start()
    assert wait_for_end(waiting_queue, job).status == "done"


def test_a_pausing_job_can_be_cancelled(inline_queue: JobQueue) -> None:
    job = inline_queue.submit("fake", {**CHUNKED, "chunk_steps": 40, "step_seconds": 0.05})
    wait_for_step(inline_queue, job)
    inline_queue.pause(job.id)
    inline_queue.cancel(job.id)
    assert wait_for_end(inline_queue, job).status == "cancelled"


def test_a_paused_job_stays_paused_when_the_studio_starts_again(tmp_path: Path) -> None:
    with JobQueue(tmp_path, worker="inline") as queue:
        job = queue.submit("fake", {**CHUNKED, "chunk_steps": 40, "step_seconds": 0.05})
        wait_for_step(queue, job)
        queue.pause(job.id)
    with JobQueue(tmp_path, worker="inline") as queue:
        other = queue.submit("fake", {})
        assert wait_for_end(queue, other).status == "done"
        assert queue.get(job.id).status == "paused"
        queue.resume(job.id)
        assert wait_for_end(queue, job).status == "done"


def test_the_worker_process_pauses_and_a_kill_while_pausing_pauses_too(tmp_path: Path) -> None:
    with JobQueue(tmp_path, modules=[REGISTER]) as queue:
        job = queue.submit("fake", CHUNKED)
        wait_for_step(queue, job)
        queue.pause(job.id)
        wait_until(lambda: queue.get(job.id).status == "paused")
        killed = queue.submit("fake", {**CHUNKED, "steps": 1000, "chunk_steps": 1000})
        wait_for_step(queue, killed)
        queue.pause(killed.id)
        kill_worker(queue)
        wait_until(lambda: queue.get(killed.id).status == "paused")
        queue.resume(job.id)
        assert wait_for_end(queue, job).status == "done"


@pytest.mark.parametrize(("call", "status"), [("cancel", "cancelled"), ("resume", "queued")])
def test_what_was_wanted_while_the_models_left_the_memory_holds(
    waiting_queue: JobQueue, call: str, status: str
) -> None:
    job = waiting_queue.submit("fake", {})
    worker = Dispatch(Database(database_path(waiting_queue.home)))
    assert worker.take_next("w") is not None
    waiting_queue.pause(job.id)
    assert worker.chunk_finished(job.id, "w")
    getattr(waiting_queue, call)(job.id)
    worker.paused(job.id, "w")
    after = waiting_queue.get(job.id)
    assert after.status == status
    assert (after.finished is not None) == (status == "cancelled")
