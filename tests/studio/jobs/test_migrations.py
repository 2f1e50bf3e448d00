from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engines.errors import ResourceError
from studio.home import database_path, prepare_home
from studio.jobs.database import Database
from studio.jobs.migrations import MIGRATIONS, migrate, version_of
from studio.jobs.queue import JobQueue

NEXT = ("ALTER TABLE jobs ADD COLUMN stars INTEGER NOT NULL DEFAULT 0",)


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_an_empty_file_becomes_a_library(tmp_path: Path) -> None:
    connection = connect(tmp_path / "new")
    assert migrate(connection) == len(MIGRATIONS)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"jobs", "forms", "migrations"} <= tables
    for table in ("jobs", "forms"):
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        assert "owner" in columns
    assert migrate(connection) == len(MIGRATIONS)


def test_a_library_of_the_first_version_keeps_its_jobs(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    connection = connect(database_path(home))
    migrate(connection, MIGRATIONS[:1])
    connection.execute(
        "INSERT INTO jobs (id, owner, task, fields, status, place, created, finished) "
        "VALUES ('a1', 'local', 'fake', '{\"text\": \"old\"}', 'done', 1, 1, 2)"
    )
    connection.close()
    queue = JobQueue(home, worker="inline")
    (job,) = queue.list()
    assert (job.id, job.fields, job.status) == ("a1", {"text": "old"}, "done")
    assert job.created == "1970-01-01T00:00:01.000+00:00"
    queue.stop()


def test_a_later_migration_keeps_rows_and_runs_once(tmp_path: Path) -> None:
    connection = connect(tmp_path / "old")
    migrate(connection)
    connection.execute("INSERT INTO forms VALUES ('local', 'fake', '{}', 1)")
    assert migrate(connection, (*MIGRATIONS, NEXT)) == len(MIGRATIONS) + 1
    assert migrate(connection, (*MIGRATIONS, NEXT)) == len(MIGRATIONS) + 1
    assert connection.execute("SELECT count(*) FROM forms").fetchone() == (1,)
    assert "stars" in {row[1] for row in connection.execute("PRAGMA table_info(jobs)")}


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    connection = connect(tmp_path / "old")
    migrate(connection)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (*MIGRATIONS, (*NEXT, "DROP TABLE no_such_table")))
    assert version_of(connection) == len(MIGRATIONS)
    assert "stars" not in {row[1] for row in connection.execute("PRAGMA table_info(jobs)")}


def test_a_newer_library_and_a_broken_one_are_refused(tmp_path: Path) -> None:
    connection = connect(tmp_path / "newer")
    migrate(connection, (*MIGRATIONS, NEXT))
    connection.close()
    with pytest.raises(ResourceError, match="Update Framewright"):
        Database(tmp_path / "newer")
    (tmp_path / "broken").write_text("this is a letter, not a library" * 100)
    with pytest.raises(ResourceError, match="Move this file away to begin with an empty library"):
        Database(tmp_path / "broken")
