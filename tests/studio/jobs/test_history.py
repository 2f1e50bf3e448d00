"""What is kept of a job's course: events, the end of its log, what it needed."""

from __future__ import annotations

from pathlib import Path

from studio.jobs.gauge import Gauge, size_of
from studio.jobs.queue import JobQueue
from tests.studio.jobs.conftest import wait_for_end


def test_a_failed_job_tells_its_course_and_the_end_of_its_log(inline_queue: JobQueue) -> None:
    failed = wait_for_end(inline_queue, inline_queue.submit("fake", {"ends_with": "bug", "chunk_steps": 2}))
    events = inline_queue.events(failed.id)
    assert [event.kind for event in events] == ["submitted", "started", "chunk", "chunk", "failed"]
    assert [event.detail for event in events[2:4]] == ["Step 2.", "Step 4."]
    assert events[-1].detail == failed.message
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert events[0].at.endswith("+00:00")
    assert failed.log_tail().rstrip().endswith("KeyError: 'no such thing'")
    assert failed.log_tail(20).rstrip().endswith("no such thing'")
    assert len(failed.log_tail(20)) <= 20


def test_there_is_no_log_before_the_start(waiting_queue: JobQueue) -> None:
    assert waiting_queue.submit("fake", {}).log_tail() == ""


def test_finished_chunks_are_told_once(inline_queue: JobQueue) -> None:
    job = inline_queue.submit("fake", {"ends_with": "user_error", "chunk_steps": 1, "steps": 3})
    wait_for_end(inline_queue, job)
    inline_queue.retry(job.id)
    wait_for_end(inline_queue, job)
    assert [event.kind for event in inline_queue.events(job.id)].count("chunk") == 3


def test_what_a_job_needed_is_kept(inline_queue: JobQueue) -> None:
    job = wait_for_end(inline_queue, inline_queue.submit("fake", {"text": "x" * 20}))
    (run,) = inline_queue._store.finished_runs("local", "fake")
    assert set(run.phase_seconds) == {"loading", "denoising"}
    assert (run.memory_bytes or 0) > 2**20
    assert (run.disk_bytes or 0) > (job.folder / "work" / "result.txt").stat().st_size


def test_the_gauge_remembers_the_largest(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    with Gauge(tmp_path) as gauge:
        (tmp_path / "deep" / "large").write_bytes(bytes(10_000))
        gauge.look()
        (tmp_path / "deep" / "large").unlink()
        (tmp_path / "small").write_bytes(bytes(10))
    assert gauge.disk_bytes >= 10_000
    assert size_of(tmp_path) == 10
    assert gauge.memory_bytes > 2**20
