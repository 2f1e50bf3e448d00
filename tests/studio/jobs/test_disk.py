"""What jobs take on the disk, what is refused when it is full, and that only what may go goes."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from engines.errors import InvalidRequest, LimitExceeded, ResourceError
from studio.home import database_path
from studio.jobs.disk import TRASH_DAYS
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from studio.jobs.quota import DiskUse, quota_from_environment
from tests.studio.jobs.conftest import wait_for_end

MEGABYTE = 10**6


def finished(queue: JobQueue, megabytes: int = 1, owner: str = "local", **fields: object) -> Job:
    """A job that is over, with a file of this size."""
    job = wait_for_end(queue, queue.submit("fake", {"steps": 1, **fields}, owner), owner)
    (job.folder / "work" / "large.bin").write_bytes(bytes(megabytes * MEGABYTE))
    return job


def megabytes(size: int) -> int:
    return round(size / MEGABYTE)


def allow(queue: JobQueue, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the environment says it, for the page and for the worker."""
    monkeypatch.setenv("FRAMEWRIGHT_QUOTA_GB", f"{size / 1e9:f}")
    queue.disk.allowed = quota_from_environment()


def test_use_is_counted_for_each_owner_and_by_what_could_go(inline_queue: JobQueue) -> None:
    disk = inline_queue.disk
    assert disk.use("local") == DiskUse()
    kept, thrown = finished(inline_queue, 3), finished(inline_queue, 5)
    finished(inline_queue, 7, ends_with="user_error")
    finished(inline_queue, 11, "ada")
    inline_queue.delete(thrown.id)
    use = disk.use("local")
    assert [megabytes(one) for one in (use.used, use.trash_bytes, use.failed_bytes)] == [15, 5, 7]
    assert (use.trash_jobs, use.failed_jobs, use.allowed, use.is_full) == (1, 1, None, False)
    (kept.folder / "previews").mkdir()
    (kept.folder / "previews" / "light.mp4").write_bytes(bytes(2 * MEGABYTE))
    assert megabytes(disk.use("local").used) == 17


def test_a_file_that_two_jobs_share_counts_once(inline_queue: JobQueue) -> None:
    one, two = finished(inline_queue, 4), finished(inline_queue, 1)
    os.link(one.folder / "work" / "large.bin", two.folder / "work" / "the_same.bin")
    inline_queue.delete(one.id)
    use = inline_queue.disk.use("local")
    assert megabytes(use.used) == 5
    assert megabytes(use.trash_bytes) == 0, "the other job keeps the file on the disk"


def test_what_is_full_is_refused_before_it_starts_and_says_what_helps(
    inline_queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    thrown = finished(inline_queue, 6)
    failed = finished(inline_queue, 5, ends_with="user_error")
    inline_queue.delete(thrown.id)
    allow(inline_queue, 10 * MEGABYTE, monkeypatch)
    with pytest.raises(LimitExceeded) as caught:
        inline_queue.submit("fake", {})
    assert caught.value.message == "Your renders use 11 MB of the 10 MB that you may use."
    assert caught.value.fix == (
        "Empty the trash in the Gallery (6 MB) or clear failed jobs there (5 MB), and try again."
    )
    with pytest.raises(LimitExceeded):
        inline_queue.retry(failed.id)
    assert len(list((inline_queue.home / "jobs").iterdir())) == 2
    assert inline_queue.submit("fake", {}, "ada").status in ("queued", "running")
    freed = inline_queue.disk.empty_trash("local")
    assert (freed.jobs, megabytes(freed.bytes)) == (1, 6)
    assert inline_queue.submit("fake", {}).status in ("queued", "running")


def test_the_estimate_says_beforehand_that_it_does_not_fit(
    inline_queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(inline_queue, 3)
    allow(inline_queue, 10 * MEGABYTE, monkeypatch)
    assert inline_queue.estimate("fake", {}).warnings == ()
    allow(inline_queue, 3 * MEGABYTE, monkeypatch)
    (said,) = inline_queue.estimate("fake", {}).warnings
    assert said.startswith("Your files use 3 MB of the 3 MB that you may use: this does not fit.")


def test_an_input_has_to_fit_into_what_is_left(
    inline_queue: JobQueue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    finished(inline_queue, 8)
    allow(inline_queue, 10 * MEGABYTE, monkeypatch)
    (tmp_path / "weights").write_bytes(bytes(3 * MEGABYTE))
    with pytest.raises(LimitExceeded) as caught:
        inline_queue.submit("fake", {"weights": str(tmp_path / "weights")})
    assert "this needs 3 MB more" in caught.value.message
    assert caught.value.fix.startswith("Move renders that you no longer need to the trash")


def test_a_job_whose_turn_comes_when_it_is_full_does_not_start(
    waiting_queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = waiting_queue.submit("fake", {"steps": 1})
    (first.folder / "large.bin").write_bytes(bytes(3 * MEGABYTE))
    monkeypatch.setenv("FRAMEWRIGHT_QUOTA_GB", "0.002")
    with JobQueue(waiting_queue.home, worker="inline") as queue:
        ended = wait_for_end(queue, first)
    assert ended.status == "failed"
    assert ended.error is not None
    assert ended.error["code"] == "limit_exceeded"
    assert "Your renders use 3 MB of the 2 MB" in str(ended.error["message"])
    assert not list((ended.folder / "work").iterdir())


def test_emptying_the_trash_takes_rows_events_and_files_of_one_owner(inline_queue: JobQueue) -> None:
    kept, thrown, theirs = finished(inline_queue), finished(inline_queue), finished(inline_queue, owner="ada")
    inline_queue.delete(thrown.id)
    inline_queue.delete(theirs.id, "ada")
    assert inline_queue.disk.empty_trash("local").jobs == 1
    assert [job.id for job in inline_queue.list()] == [kept.id]
    assert inline_queue.list(trashed=True) == []
    assert not thrown.folder.exists()
    assert theirs.folder.exists()
    with sqlite3.connect(database_path(inline_queue.home)) as connection:
        query = "SELECT count(*) FROM events WHERE job_id = ?"
        assert connection.execute(query, (thrown.id,)).fetchone() == (0,)
    assert inline_queue.disk.empty_trash("local").jobs == 0


def test_what_still_runs_stays_in_the_trash_until_it_has_ended(waiting_queue: JobQueue) -> None:
    job = waiting_queue.submit("fake", {})
    with sqlite3.connect(database_path(waiting_queue.home)) as connection:
        connection.execute("UPDATE jobs SET status = 'running', trashed = 1")
    assert waiting_queue.disk.empty_trash("local").jobs == 0
    assert waiting_queue.get(job.id).trashed


def test_failed_and_cancelled_jobs_are_cleared_and_finished_ones_are_not(inline_queue: JobQueue) -> None:
    good, bad = finished(inline_queue), finished(inline_queue, ends_with="user_error")
    cancelled = inline_queue.submit("fake", {"steps": 1000})
    inline_queue.cancel(cancelled.id)
    wait_for_end(inline_queue, cancelled)
    assert inline_queue.disk.clear_failed("local").jobs == 2
    assert [job.id for job in inline_queue.list()] == [good.id]
    assert not bad.folder.exists()


def test_a_folder_that_cannot_go_leaves_the_job_where_it_is(
    inline_queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = finished(inline_queue)
    inline_queue.delete(job.id)

    def held(self: Path, target: Path) -> None:
        raise PermissionError(13, "The file is open in another program")

    monkeypatch.setattr(Path, "rename", held)
    with pytest.raises(ResourceError, match="Close programs that show its files"):
        inline_queue.disk.empty_trash("local")
    assert inline_queue.get(job.id).trashed
    assert job.folder.is_dir()


def test_only_old_trash_goes_by_itself(inline_queue: JobQueue) -> None:
    old, new, kept = (finished(inline_queue, owner=owner) for owner in ("ada", "ada", "ben"))
    for job in (old, new):
        inline_queue.delete(job.id, "ada")
    with sqlite3.connect(database_path(inline_queue.home)) as connection:
        long_ago = time.time() - (TRASH_DAYS + 1) * 86400
        connection.execute("UPDATE jobs SET trashed = ? WHERE id = ?", (long_ago, old.id))
        connection.execute("UPDATE jobs SET created = ? WHERE id = ?", (long_ago, kept.id))
    assert inline_queue.disk.forget_old_trash() == 1
    assert [job.folder.exists() for job in (old, new, kept)] == [False, True, True]


def test_a_removal_that_was_cut_off_ends_at_the_next_start(tmp_path: Path) -> None:
    with JobQueue(tmp_path, worker="inline") as queue:
        job = finished(queue)
    leaving = job.folder.with_name(job.folder.name + ".removed")
    job.folder.rename(leaving)
    with JobQueue(tmp_path, worker="inline"):
        assert not leaving.exists()


def test_the_environment_says_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRAMEWRIGHT_QUOTA_GB", raising=False)
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert quota_from_environment() is None
    monkeypatch.setenv("SPACE_ID", "somebody/framewright")
    assert quota_from_environment() == 2 * 10**9
    for given, expected in (("0.5", 5 * 10**8), ("0", None), (" 20 ", 20 * 10**9)):
        monkeypatch.setenv("FRAMEWRIGHT_QUOTA_GB", given)
        assert quota_from_environment() == expected
    for wrong in ("much", "-1", "nan", "inf", "1e300"):
        monkeypatch.setenv("FRAMEWRIGHT_QUOTA_GB", wrong)
        with pytest.raises(InvalidRequest, match="to a number of GB"):
            quota_from_environment()


def test_it_is_near_before_it_is_full() -> None:
    assert [DiskUse(used, 100).is_near for used in (84, 85, 100)] == [False, True, True]
    assert [DiskUse(used, 100).is_full for used in (85, 100, 101)] == [False, True, True]
    assert not DiskUse(10**15).is_near
