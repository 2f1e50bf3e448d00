"""The worker process: kept alive, watched, killed; and a studio that is killed itself."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from engines.context import Progress
from engines.task import TASKS, Result
from studio.home import database_path, worker_log_path
from studio.jobs.database import Database
from studio.jobs.dispatch import MOST_CRASHES, Dispatch, Needed
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from studio.jobs.supervisor import ProcessWorker
from tests.studio.jobs.conftest import REGISTER, kill_worker, wait_for_end, wait_for_step, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="tests with signals")


def is_alive(process_id: int) -> bool:
    """A zombie counts as dead."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_process_starts_with_the_first_job_and_keeps_its_engine(queue: JobQueue) -> None:
    assert queue.worker_process_id is None
    first = wait_for_end(queue, queue.submit("fake", {"steps": 40, "step_seconds": 0.02}))
    second = wait_for_end(queue, queue.submit("fake", {}))
    assert first.result is not None
    assert second.result is not None
    assert first.result.measurements["process"] == second.result.measurements["process"] == queue.worker_process_id
    assert second.result.measurements["jobs_of_this_engine"] == 2
    assert first.preview_version > 1


def test_progress_moves_and_cancel_stops_within_one_step(queue: JobQueue) -> None:
    job = queue.submit("fake", {"steps": 100, "step_seconds": 0.1})
    early = wait_for_step(queue, job, 1)
    later = wait_for_step(queue, job, early.step + 1)
    assert (later.phase, later.total, later.message) == ("denoising", 100, f"Step {later.step}.")
    seen = queue.cancel(job.id).step
    cancelled = wait_for_end(queue, job)
    assert cancelled.status == "cancelled"
    assert cancelled.step <= seen + 1


def test_after_kill_9_of_the_worker_its_job_goes_on_by_itself_and_then_the_queue(queue: JobQueue) -> None:
    job = queue.submit("fake", {"steps": 20, "step_seconds": 0.05})
    waiting = queue.submit("fake", {"text": "next"})
    wait_for_step(queue, job, 5)
    dead = kill_worker(queue)
    done = wait_for_end(queue, job)
    assert (done.status, done.attempt, done.error) == ("done", 2, None)
    assert done.result is not None
    assert done.result.measurements["made"] <= 15
    assert wait_for_end(queue, waiting).status == "done"
    assert queue.worker_process_id != dead
    assert [event.kind for event in queue.events(job.id)] == ["submitted", "started", "queued", "started", "done"]
    said = "The worker process died (signal 9, Killed; often a sign that the RAM ran out)."
    assert queue.events(job.id)[2].detail == said


def runs_for_the(attempt: int, queue: JobQueue, job: Job) -> bool:
    now = queue.get(job.id)
    return now.status == "running" and now.attempt == attempt and now.step >= 1


def chunks_of(queue: JobQueue, job: Job) -> int:
    return [event.kind for event in queue.events(job.id)].count("chunk")


def test_a_job_that_kills_its_worker_again_and_again_waits_for_a_person(queue: JobQueue) -> None:
    job = queue.submit("fake", {"steps": 1000, "step_seconds": 0.05, "chunk_steps": 1000})
    for attempt in range(1, MOST_CRASHES + 1):
        wait_until(lambda attempt=attempt: runs_for_the(attempt, queue, job))
        kill_worker(queue)
    interrupted = wait_for_end(queue, job)
    assert interrupted.status == "interrupted"
    assert interrupted.error is not None
    assert interrupted.error["code"] == "interrupted"
    assert interrupted.message == "The worker process died (signal 9, Killed; often a sign that the RAM ran out)."
    assert "Retry the job: its finished parts are kept." in (interrupted.error["fix"] or "")
    assert "retry smaller: fewer frames" in (interrupted.error["fix"] or "")
    assert queue.retry(job.id).status in ("queued", "running")
    queue.cancel(job.id)


def test_a_further_chunk_forgives_earlier_crashes(queue: JobQueue) -> None:
    job = queue.submit("fake", {"steps": 60, "step_seconds": 0.05, "chunk_steps": 2})
    for _ in range(MOST_CRASHES + 1):
        chunks = chunks_of(queue, job)
        wait_until(lambda chunks=chunks: chunks_of(queue, job) > chunks)
        kill_worker(queue)
    done = wait_for_end(queue, job)
    assert (done.status, done.attempt) == ("done", MOST_CRASHES + 2)


def test_a_killed_render_of_the_moving_square_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS, "text_to_video", "tests.studio.moving_square")
    fields = {"prompt": "a boat sails at sea", "steps": 8, "width": 64, "height": 64, "frames": 9}
    with JobQueue(tmp_path, modules=["tests.studio.moving_square.registered"]) as queue:
        job = queue.submit("text_to_video", fields)
        wait_for_step(queue, job, 3)
        kill_worker(queue)
        done = wait_for_end(queue, job)
        assert (done.status, done.attempt) == ("done", 2)
        assert done.result is not None
        assert done.result.files[0].path.stat().st_size > 0


def test_an_idle_worker_that_is_killed_is_replaced(queue: JobQueue) -> None:
    wait_for_end(queue, queue.submit("fake", {}))
    kill_worker(queue)
    assert wait_for_end(queue, queue.submit("fake", {})).status == "done"


def test_an_engine_that_ends_the_process_takes_only_its_own_job(queue: JobQueue) -> None:
    bad = queue.submit("fake", {"ends_with": "exit"})
    good = queue.submit("fake", {})
    ended = wait_for_end(queue, bad)
    assert (ended.status, ended.attempt, ended.message) == ("interrupted", 3, "The worker process died (exit code 3).")
    assert wait_for_end(queue, good).status == "done"


def test_stop_ends_the_process(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path, modules=[REGISTER])
    queue.start()
    job = queue.submit("fake", {"steps": 1000, "step_seconds": 0.05})
    wait_for_step(queue, job)
    process_id = queue.worker_process_id
    assert process_id is not None
    queue.stop()
    assert not is_alive(process_id)
    reopened = JobQueue(tmp_path, worker="inline")
    assert reopened.get(job.id).status == "queued"
    reopened.stop()


def test_a_cancelled_job_that_makes_no_step_loses_its_worker(tmp_path: Path) -> None:
    with JobQueue(tmp_path, worker="inline") as queue:
        home = queue.home
    queue = JobQueue(home, modules=[REGISTER])
    queue._worker = ProcessWorker(home, queue._dispatch, [REGISTER], cancel_patience_seconds=0.5)
    with queue:
        stuck = queue.submit("fake", {"steps": 1, "step_seconds": 60})
        waiting = queue.submit("fake", {})
        wait_until(lambda: queue.get(stuck.id).phase == "denoising")
        queue.cancel(stuck.id)
        ended = wait_for_end(queue, stuck)
        assert (ended.status, ended.error, ended.message) == ("cancelled", None, "")
        assert wait_for_end(queue, waiting).status == "done"


def test_a_worker_that_does_not_start_is_said(tmp_path: Path) -> None:
    with JobQueue(tmp_path, modules=["no_such_module"]) as queue:
        job = wait_for_end(queue, queue.submit("fake", {}))
        assert job.status == "interrupted"
        assert job.error is not None
        assert job.error["message"] == "The worker process does not start (exit code 1)."
        assert f"Look into {worker_log_path(queue.home)} for the cause" in (job.error["fix"] or "")
        assert "No module named 'no_such_module'" in worker_log_path(queue.home).read_text()


STUDIO = f"""
    import time
    from pathlib import Path
    import {REGISTER}
    from studio.jobs.queue import JobQueue

    queue = JobQueue(Path("HOME"), modules=["{REGISTER}"])
    queue.start()
    job = queue.submit("fake", {{"steps": 40, "step_seconds": 0.05}})
    queue.submit("fake", {{"text": "waiting"}})
    while queue.get(job.id).step < 3:
        time.sleep(0.01)
    print(job.id, queue.worker_process_id, flush=True)
    time.sleep(60)
"""


def test_a_studio_killed_in_mid_job_takes_its_worker_along_and_the_next_one_recovers(tmp_path: Path) -> None:
    script = textwrap.dedent(STUDIO).replace("HOME", str(tmp_path))
    studio = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert studio.stdout is not None
    job_id, worker = studio.stdout.readline().split()
    studio.kill()
    studio.wait()
    studio.stdout.close()
    with JobQueue(tmp_path, modules=[REGISTER]) as queue:
        wait_until(lambda: not is_alive(int(worker)))
        recovered = wait_for_end(queue, queue.get(job_id))
        assert (recovered.status, recovered.attempt) == ("done", 2)
        assert recovered.result is not None
        assert recovered.result.measurements["made"] < 40
        assert "The studio ended while this job was running." in [event.detail for event in queue.events(job_id)]
        waiting = next(job for job in queue.list() if job.fields["text"] == "waiting")
        assert wait_for_end(queue, waiting).status == "done"


def test_a_worker_that_outlives_its_studio_cannot_write(tmp_path: Path) -> None:
    with JobQueue(tmp_path, worker="inline") as queue:
        pass
    queue = JobQueue(tmp_path, worker="inline")
    job = queue.submit("fake", {})
    dispatch = Dispatch(Database(database_path(tmp_path)))
    assert dispatch.take_next("old") is not None
    dispatch.release_running({"code": "interrupted", "field": None, "message": "x", "fix": "y"}, is_crash=True)
    assert dispatch.take_next("new") is not None
    assert not dispatch.may_go_on(job.id, "old")
    assert not dispatch.report(job.id, "old", Progress("denoising", 3, 4), None, 1)
    dispatch.finish(job.id, "old", job.folder, Result(files=[]), Needed(None, None, None))
    dispatch.paused(job.id, "old")
    assert not dispatch.chunk_finished(job.id, "old")
    dispatch.failed(job.id, "old", {"code": "bug", "field": None, "message": "m", "fix": "f"})
    untouched = queue.get(job.id)
    assert (untouched.status, untouched.step, untouched.error) == ("running", 0, None)
    assert dispatch.report(job.id, "new", Progress("denoising", 3, 4), None, 1)
    queue.stop()
