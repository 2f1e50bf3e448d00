"""What the page and the API see of the queue. The worker is a thread: what matters of the process is in test_worker."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engines.errors import InvalidRequest, NotAvailable, ResourceError
from studio import home as studio_home_module
from studio.jobs.queue import JobQueue
from tests.studio.jobs.conftest import wait_for_end, wait_for_step


def test_a_submitted_job_gets_done(inline_queue: JobQueue) -> None:
    job = inline_queue.submit("fake", {"text": "a blorb"})
    assert job.status in ("queued", "running")
    assert len(job.id) == 32
    done = wait_for_end(inline_queue, job)
    assert done.status == "done"
    assert done.result is not None
    assert done.result.files[0].path.read_text() == "a blorb"
    assert done.result.files[0].path.is_relative_to(done.folder)
    assert (done.phase, done.step, done.total) == ("denoising", 4, 4)
    assert done.warnings == ["“blorb” is not a word.", "Rounded."]
    assert done.error is None
    assert done.seconds_running > 0
    assert done.created <= (done.started or "") < (done.finished or "")


def test_the_stored_request_holds_the_defaults(inline_queue: JobQueue) -> None:
    assert inline_queue.submit("fake", {"text": "x"}).fields["steps"] == 4


def test_preview_is_an_animation_that_grows_newer(inline_queue: JobQueue) -> None:
    from PIL import Image

    job = inline_queue.submit("fake", {"steps": 30, "step_seconds": 0.03})
    first = wait_for_step(inline_queue, job, 2)
    assert first.preview is not None
    assert first.preview_version >= 1
    with Image.open(first.preview) as picture:
        assert (picture.format, picture.size, picture.n_frames) == ("WEBP", (16, 8), 3)
    assert wait_for_end(inline_queue, job).preview_version > 1


def test_bad_requests_are_refused_at_once_and_leave_nothing(inline_queue: JobQueue) -> None:
    with pytest.raises(InvalidRequest, match="Choose steps between 1 and 1000") as error:
        inline_queue.submit("fake", {"steps": 10**6})
    assert error.value.field == "steps"
    with pytest.raises(InvalidRequest, match="Choose one of: fake"):
        inline_queue.submit("knitting", {})
    assert inline_queue.list() == []
    assert list((inline_queue.home / "jobs").iterdir()) == []


def test_the_same_key_gives_the_same_job(inline_queue: JobQueue) -> None:
    first = inline_queue.submit("fake", {"text": "a"}, idempotency_key="k")
    again = inline_queue.submit("fake", {"text": "a", "steps": 4}, idempotency_key="k")
    assert again.id == first.id
    assert len(inline_queue.list()) == 1
    assert [folder.name for folder in (inline_queue.home / "jobs").iterdir()] == [first.id]
    assert inline_queue.submit("fake", {"text": "a"}, owner="ada", idempotency_key="k").id != first.id
    with pytest.raises(InvalidRequest, match="Send a new key with each new request") as error:
        inline_queue.submit("fake", {"text": "b"}, idempotency_key="k")
    assert error.value.field == "idempotency_key"


def test_many_submits_at_once_with_one_key_make_one_job(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path, worker="inline")
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda _: queue.submit("fake", {}, idempotency_key="k"), range(16)))
    assert len({job.id for job in jobs}) == 1
    assert [folder.name for folder in (tmp_path / "jobs").iterdir()] == [jobs[0].id]
    queue.stop()


@pytest.mark.parametrize("key", ["", "k" * 201, "a\nb", "\ud800"])
def test_odd_keys_are_refused(inline_queue: JobQueue, key: str) -> None:
    with pytest.raises(InvalidRequest, match="Send 1 to 200 printable characters, or none"):
        inline_queue.submit("fake", {}, idempotency_key=key)


def test_another_owner_sees_and_changes_nothing(inline_queue: JobQueue) -> None:
    job = inline_queue.submit("fake", {"steps": 1000, "step_seconds": 0.01}, owner="ada")
    calls = (
        inline_queue.get, inline_queue.cancel, inline_queue.retry, inline_queue.delete, inline_queue.restore,
        inline_queue.pause, inline_queue.resume, inline_queue.events,
        lambda job_id, owner: inline_queue.move(job_id, "first", owner),
        lambda job_id, owner: inline_queue.set_priority(job_id, "high", owner),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(NotAvailable, match="Choose one from the list of your jobs"):
            call(job.id, "eve")
    assert inline_queue.list("eve") == []
    assert inline_queue.waiting("eve") == []
    untouched = inline_queue.get(job.id, "ada")
    assert untouched.status in ("queued", "running")
    assert not untouched.trashed
    assert inline_queue.cancel(job.id, "ada").id == job.id


@pytest.mark.parametrize("job_id", ["", "../../etc/passwd", "%", "' OR 1=1 --", "0" * 32, "\ud800", "x" * 10_000])
def test_an_unknown_id_is_no_job(inline_queue: JobQueue, job_id: str) -> None:
    inline_queue.submit("fake", {})
    for call in (inline_queue.get, inline_queue.cancel, inline_queue.retry, inline_queue.delete):
        with pytest.raises(NotAvailable) as error:
            call(job_id)
        assert error.value.field == "job_id"
        assert len(error.value.message) < 100


def test_position_and_cancel_in_the_queue(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path, worker="inline")  # not started: everything waits
    first, second, third = (queue.submit("fake", {"text": name}) for name in "abc")
    assert [queue.get(job.id).position for job in (first, second, third)] == [1, 2, 3]
    cancelled = queue.cancel(first.id)
    assert (cancelled.status, cancelled.position) == ("cancelled", None)
    assert cancelled.finished is not None
    assert [queue.get(job.id).position for job in (second, third)] == [1, 2]
    assert queue.retry(first.id).position == 3
    assert [job.id for job in queue.list()] == [third.id, second.id, first.id]
    queue.start()
    ended = [wait_for_end(queue, job) for job in (second, third, first)]
    assert [job.status for job in ended] == ["done"] * 3
    assert [job.started for job in ended] == sorted(job.started or "" for job in ended)
    queue.stop()


def test_cancel_stops_within_one_step_and_a_retry_keeps_the_parts(inline_queue: JobQueue) -> None:
    job = inline_queue.submit("fake", {"steps": 12, "step_seconds": 0.1})
    wait_for_step(inline_queue, job, 2)
    seen = inline_queue.cancel(job.id).step
    cancelled = wait_for_end(inline_queue, job)
    assert cancelled.status == "cancelled"
    assert cancelled.step <= seen + 1
    assert cancelled.error is None
    assert inline_queue.retry(job.id).status in ("queued", "running")
    done = wait_for_end(inline_queue, job)
    assert done.status == "done"
    assert done.attempt == 2
    assert done.result is not None
    assert done.result.measurements["made"] == 12 - cancelled.step


def test_only_what_did_not_end_well_is_retried(inline_queue: JobQueue) -> None:
    done = wait_for_end(inline_queue, inline_queue.submit("fake", {}))
    with pytest.raises(InvalidRequest, match="Submit its request again as a new job"):
        inline_queue.retry(done.id)
    assert inline_queue.cancel(done.id).status == "done"


def test_a_user_error_comes_as_data(inline_queue: JobQueue) -> None:
    failed = wait_for_end(inline_queue, inline_queue.submit("fake", {"ends_with": "user_error"}))
    assert failed.status == "failed"
    assert failed.error == {
        "code": "media_error", "field": "text", "message": "The clip has no frames.", "fix": "Choose another clip.",
    }  # fmt: skip
    assert failed.message == "The clip has no frames."


def test_a_bug_is_said_plainly_and_logged_whole(inline_queue: JobQueue) -> None:
    failed = wait_for_end(inline_queue, inline_queue.submit("fake", {"ends_with": "bug", "text": "a"}))
    assert failed.error is not None
    assert failed.error["code"] == "bug"
    assert "Traceback" not in (failed.error["message"] or "")
    assert str(failed.log) in (failed.error["fix"] or "")
    log = failed.log.read_text()
    assert "KeyError: 'no such thing'" in log
    assert "_end(request.ends_with)" in log
    assert "'text': 'a'" in log
    assert wait_for_end(inline_queue, inline_queue.submit("fake", {})).status == "done"


@pytest.mark.parametrize(("ends_with", "word"), [("memory", "RAM"), ("gpu_memory", "VRAM")])
def test_out_of_memory_names_which_and_offers_smaller(inline_queue: JobQueue, ends_with: str, word: str) -> None:
    wait_for_end(inline_queue, inline_queue.submit("fake", {}))
    failed = wait_for_end(inline_queue, inline_queue.submit("fake", {"ends_with": ends_with}))
    assert failed.error is not None
    assert failed.error["code"] == "resource_error"
    assert f"({word})" in (failed.error["message"] or "")
    assert "Retry smaller: fewer frames" in (failed.error["fix"] or "")
    after = wait_for_end(inline_queue, inline_queue.submit("fake", {}))
    assert after.result is not None
    assert after.result.measurements["jobs_of_this_engine"] == 1, "the full engine was not let go"


def test_the_trash_gives_back(inline_queue: JobQueue) -> None:
    job = wait_for_end(inline_queue, inline_queue.submit("fake", {}))
    assert inline_queue.delete(job.id).trashed
    assert inline_queue.list() == []
    assert [trashed.id for trashed in inline_queue.list(trashed=True)] == [job.id]
    restored = inline_queue.restore(job.id)
    assert (restored.trashed, restored.status) == (False, "done")
    assert restored.result is not None
    assert restored.result.files[0].path.exists()
    assert [listed.id for listed in inline_queue.list()] == [job.id]


def test_deleting_a_running_job_cancels_it(inline_queue: JobQueue) -> None:
    job = inline_queue.submit("fake", {"steps": 1000, "step_seconds": 0.02})
    wait_for_step(inline_queue, job)
    inline_queue.delete(job.id)
    assert wait_for_end(inline_queue, job).status == "cancelled"


def test_list_filters_and_limits(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path, worker="inline")
    jobs = [queue.submit("fake", {"text": name}) for name in "abc"]
    other = queue.submit("text_to_video", {"prompt": "a boat sails at sea"})
    assert [job.id for job in queue.list(task="fake", limit=2)] == [jobs[2].id, jobs[1].id]
    assert [job.id for job in queue.list(task="text_to_video")] == [other.id]
    assert queue.list(limit=-1) == []
    with pytest.raises(InvalidRequest, match="Choose one of: fake"):
        queue.list(task="knitting")
    queue.stop()


def test_forms_are_kept_by_owner_and_task(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path, worker="inline")
    assert queue.load_form("ada", "fake") is None
    queue.save_form("ada", "fake", {"text": "first"})
    queue.save_form("ada", "fake", {"text": "größer", "steps": 3, "open": [True, None]})
    queue.stop()
    queue = JobQueue(tmp_path, worker="inline")
    assert queue.load_form("ada", "fake") == {"text": "größer", "steps": 3, "open": [True, None]}
    assert queue.load_form("ada", "text_to_video") is None
    assert queue.load_form("eve", "fake") is None
    queue.stop()


def test_estimate_is_learnt_from_finished_jobs(inline_queue: JobQueue) -> None:
    assert inline_queue.estimate("fake", {}).seconds is None
    for _ in range(2):
        wait_for_end(inline_queue, inline_queue.submit("fake", {"steps": 5, "step_seconds": 0.05}))
    learnt = inline_queue.estimate("fake", {"steps": 50})
    assert learnt.based_on == 2
    assert learnt.seconds is not None
    assert learnt.seconds >= 10 * 5 * 0.05
    assert (learnt.memory_bytes or 0) > 2**20
    assert (learnt.disk_bytes or 0) > 0
    assert inline_queue.estimate("fake", {}, owner="ada").seconds is None
    with pytest.raises(InvalidRequest, match="Choose steps"):
        inline_queue.estimate("fake", {"steps": 0})


def test_time_left_falls_while_steps_are_made(inline_queue: JobQueue) -> None:
    job = inline_queue.submit("fake", {"steps": 20, "step_seconds": 0.05})
    early = wait_for_step(inline_queue, job, 4).seconds_left
    late = wait_for_step(inline_queue, job, 16).seconds_left
    assert early is not None
    assert late is not None
    assert early > late > 0
    assert wait_for_end(inline_queue, job).seconds_left is None


def test_closing_the_studio_queues_what_runs_and_the_next_one_goes_on(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path, worker="inline")
    queue.start()
    running = queue.submit("fake", {"steps": 60, "step_seconds": 0.02})
    waiting = queue.submit("fake", {"text": "b"})
    wait_for_step(queue, running, 3)
    queue.stop()
    reopened = JobQueue(tmp_path, worker="inline")
    closed = reopened.get(running.id)
    assert (closed.status, closed.position, closed.error, closed.seconds_running) == ("queued", 1, None, 0.0)
    assert closed.message == "The studio was closed while this job was running."
    with reopened:
        done = wait_for_end(reopened, running)
        assert (done.status, done.attempt, done.message) == ("done", 2, "")
        assert done.result is not None
        assert done.result.measurements["made"] <= 57
        assert wait_for_end(reopened, waiting).status == "done"


def test_two_studios_do_not_share_a_folder(inline_queue: JobQueue) -> None:
    second = JobQueue(inline_queue.home, worker="inline")
    with pytest.raises(ResourceError, match="Close the other studio, or set FRAMEWRIGHT_HOME"):
        second.start()
    second.stop()
    assert wait_for_end(inline_queue, inline_queue.submit("fake", {})).status == "done"


def test_unwritable_home_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError, match="Set the environment variable FRAMEWRIGHT_HOME to a folder"):
        JobQueue(tmp_path / "file" / "home")
    monkeypatch.setenv("FRAMEWRIGHT_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(ResourceError, match="cannot be written: Not a directory"):
        studio_home_module.studio_home()
    monkeypatch.setenv("FRAMEWRIGHT_HOME", str(tmp_path / "new" / "home"))
    assert (studio_home_module.studio_home() / "uploads").is_dir()


def test_home_that_vanished_is_said_at_submit(inline_queue: JobQueue) -> None:
    (inline_queue.home / "jobs").rmdir()
    (inline_queue.home / "jobs").write_text("in the way")
    with pytest.raises(ResourceError, match=r"Make .* writable, or set FRAMEWRIGHT_HOME"):
        inline_queue.submit("fake", {})


def test_a_full_disk_is_said_at_submit(inline_queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_home_module, "MINIMUM_FREE_BYTES", 2**80)
    with pytest.raises(ResourceError, match="Free some space, or set FRAMEWRIGHT_HOME"):
        inline_queue.submit("fake", {})
    assert inline_queue.list() == []


def test_the_page_s_process_stays_free_of_torch_and_gradio() -> None:
    code = "import sys, studio.jobs.queue; print([m for m in ('torch', 'gradio', 'numpy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
