"""The worker process: kept alive, watched, killed; and a studio that is killed itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from studio.home import database_path, worker_log_path
from studio.jobs.database import Database
from studio.jobs.dispatch import Dispatch
from studio.jobs.queue import JobQueue
from studio.jobs.supervisor import ProcessWorker
from tests.studio.jobs.conftest import REGISTER, wait_for_end, wait_for_step, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="tests with signals")


def is_alive(process_id: int) -> bool:
    """A zombie counts as dead."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def kill_worker(queue: JobQueue) -> None:
    assert queue.worker_process_id is not None
    os.kill(queue.worker_process_id, signal.SIGKILL)


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


def test_kill_9_of_the_worker_interrupts_its_job_and_the_queue_goes_on(queue: JobQueue) -> None:
    job = queue.submit("fake", {"steps": 20, "step_seconds": 0.05})
    waiting = queue.submit("fake", {"text": "next"})
    wait_for_step(queue, job, 5)
    dead = queue.worker_process_id
    kill_worker(queue)
    interrupted = wait_for_end(queue, job)
    assert interrupted.status == "interrupted"
    assert interrupted.error is not None
    assert interrupted.error["code"] == "interrupted"
    assert interrupted.message == "The worker process died (signal 9, Killed; often a sign that the RAM ran out)."
    assert "Retry the job: its finished parts are kept." in (interrupted.error["fix"] or "")
    assert "retry smaller: fewer frames" in (interrupted.error["fix"] or "")
    assert wait_for_end(queue, waiting).status == "done"
    assert queue.worker_process_id != dead
    queue.retry(job.id)
    done = wait_for_end(queue, job)
    assert done.result is not None
    assert done.result.measurements["made"] <= 15
    assert done.error is None


def test_an_idle_worker_that_is_killed_is_replaced(queue: JobQueue) -> None:
    wait_for_end(queue, queue.submit("fake", {}))
    kill_worker(queue)
    assert wait_for_end(queue, queue.submit("fake", {})).status == "done"


def test_an_engine_that_ends_the_process_takes_only_its_own_job(queue: JobQueue) -> None:
    bad = queue.submit("fake", {"ends_with": "exit"})
    good = queue.submit("fake", {})
    assert wait_for_end(queue, bad).message == "The worker process died (exit code 3)."
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
    assert reopened.get(job.id).status == "interrupted"
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
        interrupted = queue.get(job_id)
        assert interrupted.status == "interrupted"
        assert interrupted.message == "The studio ended while this job was running."
        waiting = next(job for job in queue.list() if job.fields["text"] == "waiting")
        assert wait_for_end(queue, waiting).status == "done"
        queue.retry(job_id)
        done = wait_for_end(queue, interrupted)
        assert done.result is not None
        assert done.result.measurements["made"] < 40


def test_a_worker_that_outlives_its_studio_cannot_write(tmp_path: Path) -> None:
    with JobQueue(tmp_path, worker="inline") as queue:
        pass
    from engines.context import Progress
    from engines.task import Result

    queue = JobQueue(tmp_path, worker="inline")
    job = queue.submit("fake", {})
    dispatch = Dispatch(Database(database_path(tmp_path)))
    assert dispatch.take_next("old") is not None
    dispatch.interrupt_running({"code": "interrupted", "field": None, "message": "x", "fix": "y"})
    queue.retry(job.id)
    assert dispatch.take_next("new") is not None
    assert not dispatch.may_go_on(job.id, "old")
    assert not dispatch.report(job.id, "old", Progress("denoising", 3, 4), None, 1)
    dispatch.finish(job.id, "old", job.folder, Result(files=[]), None)
    dispatch.failed(job.id, "old", {"code": "bug", "field": None, "message": "m", "fix": "f"})
    untouched = queue.get(job.id)
    assert (untouched.status, untouched.step, untouched.error) == ("running", 0, None)
    assert dispatch.report(job.id, "new", Progress("denoising", 3, 4), None, 1)
    queue.stop()
