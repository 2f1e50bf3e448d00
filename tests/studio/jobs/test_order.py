"""Priority and place among an owner's own jobs. The queue is not started: everything waits."""

from __future__ import annotations

import pytest

from engines.errors import InvalidRequest
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from tests.studio.jobs.conftest import wait_for_end


def submit(queue: JobQueue, name: str, priority: str = "normal", owner: str = "local") -> Job:
    return queue.submit("fake", {"text": name}, owner, priority=priority)


def names(queue: JobQueue, owner: str = "local") -> str:
    return "".join(job.fields["text"] for job in queue.waiting(owner))


def test_high_comes_before_normal_before_low(waiting_queue: JobQueue) -> None:
    for name, priority in (("a", "low"), ("b", "normal"), ("c", "high"), ("d", "normal"), ("e", "high")):
        submit(waiting_queue, name, priority)
    assert names(waiting_queue) == "cebda"
    assert [job.position for job in waiting_queue.waiting()] == [1, 2, 3, 4, 5]
    assert [job.priority for job in waiting_queue.waiting()] == [1, 1, 0, 0, -1]


@pytest.mark.parametrize(
    ("direction", "expected"), [("up", "acbd"), ("down", "abdc"), ("first", "cabd"), ("last", "abdc")]
)
def test_a_waiting_job_is_moved(waiting_queue: JobQueue, direction: str, expected: str) -> None:
    jobs = {name: submit(waiting_queue, name) for name in "abcd"}
    moved = waiting_queue.move(jobs["c"].id, direction)  # type: ignore[arg-type]
    assert names(waiting_queue) == expected
    assert moved.position == expected.index("c") + 1


def test_the_first_cannot_go_up_nor_the_last_down(waiting_queue: JobQueue) -> None:
    first, last = submit(waiting_queue, "a"), submit(waiting_queue, "b")
    waiting_queue.move(first.id, "up")
    waiting_queue.move(last.id, "down")
    assert names(waiting_queue) == "ab"


def test_a_moved_job_takes_over_the_priority_that_it_passes_and_stays_there(waiting_queue: JobQueue) -> None:
    submit(waiting_queue, "a", "high")
    low = submit(waiting_queue, "b", "low")
    assert waiting_queue.move(low.id, "first").priority == 1
    submit(waiting_queue, "c")
    assert names(waiting_queue) == "bac"


def test_priority_can_be_changed_while_it_waits(waiting_queue: JobQueue) -> None:
    submit(waiting_queue, "a")
    later = submit(waiting_queue, "b")
    assert waiting_queue.set_priority(later.id, "high").position == 1
    assert waiting_queue.set_priority(later.id, "low").position == 2


def test_nobody_s_wish_moves_another_owner_s_job(waiting_queue: JobQueue) -> None:
    submit(waiting_queue, "a", owner="ada")
    hers = submit(waiting_queue, "b", owner="eve")
    mine = submit(waiting_queue, "c", owner="ada")
    waiting_queue.move(mine.id, "first", "ada")
    waiting_queue.set_priority(mine.id, "high", "ada")
    assert names(waiting_queue, "ada") == "ca"
    assert waiting_queue.get(hers.id, "eve").position == 2
    submit(waiting_queue, "d", "high", "eve")
    assert waiting_queue.get(mine.id, "ada").position == 1


def test_a_retry_keeps_its_priority(waiting_queue: JobQueue) -> None:
    high = submit(waiting_queue, "a", "high")
    waiting_queue.cancel(high.id)
    submit(waiting_queue, "b")
    assert waiting_queue.retry(high.id).position == 1


def test_what_cannot_be_moved_says_so(waiting_queue: JobQueue) -> None:
    job = submit(waiting_queue, "a")
    with pytest.raises(InvalidRequest, match="Choose one of: up, down, first, last"):
        waiting_queue.move(job.id, "sideways")  # type: ignore[arg-type]
    for call in (lambda: submit(waiting_queue, "b", "urgent"), lambda: waiting_queue.set_priority(job.id, "urgent")):
        with pytest.raises(InvalidRequest, match="Choose one of: high, normal, low") as error:
            call()
        assert error.value.field == "priority"
    waiting_queue.cancel(job.id)
    for call in (lambda: waiting_queue.move(job.id, "up"), lambda: waiting_queue.set_priority(job.id, "low")):
        with pytest.raises(InvalidRequest, match="The job is cancelled; only a job that waits") as error:
            call()
        assert error.value.field == "job_id"


def test_the_worker_takes_them_in_this_order(waiting_queue: JobQueue) -> None:
    low, normal = submit(waiting_queue, "a", "low"), submit(waiting_queue, "b")
    waiting_queue.start()
    ended = [wait_for_end(waiting_queue, job) for job in (low, normal)]
    assert (ended[1].started or "") < (ended[0].started or "")
