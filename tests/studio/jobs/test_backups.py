"""Copies of the library, and a library that was damaged or lost."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from engines.errors import ResourceError
from studio.home import backups_folder, database_path, prepare_home
from studio.jobs.backups import DAY_SECONDS, MOST_BACKUPS, back_up, backups, damage_of, is_due, mend
from studio.jobs.database import Database
from studio.jobs.migrations import MIGRATIONS, migrate
from studio.jobs.queue import JobQueue
from studio.jobs.recovery import adopt_found
from tests.studio.jobs.conftest import wait_for_end


def damage(library: Path) -> None:
    """The first page stays, so that it still looks like a library."""
    with library.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(library.stat().st_size - 4096))


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_one_backup_a_day(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    library = database_path(home)
    database = Database(library)
    database.back_up_daily(library)
    database.back_up_daily(library)
    (first,) = backups(library)
    assert first.name.endswith(" daily.sqlite3")
    assert not is_due(library)
    age(first, DAY_SECONDS + 60)
    assert is_due(library)
    database.back_up_daily(library)
    assert len(backups(library)) == 2
    database.close()


def test_a_backup_holds_the_jobs_and_is_one_file(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path, worker="inline")
    job = queue.submit("fake", {"text": "kept"})
    queue._database.back_up(database_path(tmp_path))
    queue.stop()
    (copy,) = backups_folder(database_path(tmp_path)).iterdir()
    assert damage_of(copy) is None
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT id FROM jobs").fetchall() == [(job.id,)]
    connection.close()


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    library = database_path(prepare_home(tmp_path))
    connection = sqlite3.connect(library)
    made = [back_up(connection, library, "daily") for _ in range(MOST_BACKUPS + 2)]
    connection.close()
    assert backups(library) == made[:1:-1]


def test_a_backup_that_fails_does_not_stop_the_studio(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    queue = JobQueue(tmp_path, worker="inline")
    (tmp_path / "backups").rmdir()
    (tmp_path / "backups").write_text("in the way")
    with queue:
        assert wait_for_end(queue, queue.submit("fake", {})).status == "done"
    assert "could not be done" in caplog.text


def test_a_library_is_copied_before_its_form_changes(tmp_path: Path) -> None:
    library = database_path(prepare_home(tmp_path))
    connection = sqlite3.connect(library, isolation_level=None)
    migrate(connection, MIGRATIONS[:1])
    connection.execute("INSERT INTO forms VALUES ('local', 'fake', '{}', 1)")
    connection.close()
    Database(library).close()
    (copy,) = backups(library)
    assert copy.name.endswith(f" before version {len(MIGRATIONS)}.sqlite3")
    old = sqlite3.connect(copy)
    assert old.execute("SELECT max(version) FROM migrations").fetchone() == (1,)
    assert old.execute("SELECT count(*) FROM forms").fetchone() == (1,)
    old.close()
    Database(library).close()
    assert backups(library) == [copy]


def test_a_good_library_is_left_alone(tmp_path: Path) -> None:
    with JobQueue(tmp_path, worker="inline") as queue:
        assert queue.notice is None
        queue.submit("fake", {})
    assert mend(database_path(tmp_path)) is None
    assert not list(tmp_path.glob("*damaged*"))


def test_a_damaged_library_is_set_aside_and_its_backup_filled_up(tmp_path: Path) -> None:
    with JobQueue(tmp_path, worker="inline") as queue:
        old = wait_for_end(queue, queue.submit("fake", {"text": "old"}, "ada"), "ada")
        queue.save_form("ada", "fake", {"text": "form"})
        queue._database.back_up(database_path(tmp_path))
        new = wait_for_end(queue, queue.submit("fake", {"text": "new"}, "ada"), "ada")
    damage(database_path(tmp_path))
    with JobQueue(tmp_path, worker="inline") as queue:
        assert queue.notice is not None
        assert queue.notice.startswith("The list of jobs was damaged")
        assert "is in its place; jobs that came later were looked for in their folders." in queue.notice
        assert queue.get(old.id, "ada").status == "done"
        assert queue.load_form("ada", "fake") == {"text": "form"}
        found = queue.get(new.id, "ada")
        assert (found.status, found.fields["text"], found.created) == ("interrupted", "new", new.created)
        assert found.message == "The studio's list of jobs was lost; this job was found in its folder."
        queue.retry(new.id, "ada")
        done = wait_for_end(queue, new, "ada")
        assert done.result is not None
        assert done.result.measurements["made"] == 0, "its finished parts were not used"
    assert len(list(tmp_path.glob("library damaged *.sqlite3"))) == 1
    with JobQueue(tmp_path, worker="inline") as queue:
        assert queue.notice is None


@pytest.mark.parametrize("how", ["gone", "no library at all"])
def test_without_a_backup_all_jobs_come_from_their_folders(tmp_path: Path, how: str) -> None:
    with JobQueue(tmp_path, worker="inline") as queue:
        jobs = [wait_for_end(queue, queue.submit("fake", {"text": name})) for name in "ab"]
    for copy in backups(database_path(tmp_path)):
        copy.unlink()
    if how == "gone":
        database_path(tmp_path).unlink()
    else:
        database_path(tmp_path).write_bytes(b"this is a letter" * 1000)
    with JobQueue(tmp_path, worker="inline") as queue:
        assert queue.notice is not None
        assert "looked for in their folders" in queue.notice
        assert [(job.id, job.status) for job in queue.list()] == [(job.id, "interrupted") for job in reversed(jobs)]


def test_what_is_readable_is_taken_from_the_folders_once(inline_queue: JobQueue, tmp_path: Path) -> None:
    job = wait_for_end(inline_queue, inline_queue.submit("fake", {}))
    whole = (job.folder / "job.json").read_text()
    others = {name: inline_queue.home / "jobs" / name for name in ("b" * 32, "c" * 32, "d" * 32, "not-an-id")}
    for folder in others.values():
        folder.mkdir()
    (others["b" * 32] / "job.json").write_text(whole.replace(job.id, "b" * 32))
    (others["c" * 32] / "job.json").write_text(whole[:20])
    (others["d" * 32] / "job.json").write_text('{"id": "' + "d" * 32 + '", "owner": 3}')
    (others["not-an-id"] / "job.json").write_text(whole)
    assert adopt_found(inline_queue._store, inline_queue.home) == 1
    assert adopt_found(inline_queue._store, inline_queue.home) == 0
    assert {one.id for one in inline_queue.list()} == {job.id, "b" * 32}
    assert inline_queue.get(job.id).status == "done"


def test_a_damaged_library_in_use_is_left_alone(inline_queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.jobs.recovery.damage_of", lambda library: "page 3")
    with pytest.raises(ResourceError, match="Close the other studio"):
        JobQueue(inline_queue.home, worker="inline")
