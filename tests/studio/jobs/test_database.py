"""A library on a full disk or with damage says so, and a transaction that failed leaves nothing behind."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engines.errors import ResourceError
from studio.jobs.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "library.sqlite3")


def fill_the_disk(database: Database) -> None:
    """SQLite may use no further page, as on a full disk."""
    pages = database.row("PRAGMA page_count", {})
    assert pages is not None
    database.execute(f"PRAGMA max_page_count = {pages[0]}", {})


def write_much(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("CREATE TABLE large (text TEXT)")
        for _ in range(100):
            connection.execute("INSERT INTO large VALUES (:text)", {"text": "x" * 10_000})


def test_a_full_disk_is_said_and_nothing_of_a_transaction_stays(database: Database) -> None:
    fill_the_disk(database)
    with pytest.raises(ResourceError, match="full") as error:
        write_much(database)
    assert "Free some space" in error.value.fix
    assert database.rows("SELECT name FROM sqlite_master WHERE name = 'large'", {}) == []
    with pytest.raises(ResourceError, match="full"):
        database.execute("CREATE TABLE other AS SELECT hex(zeroblob(1000000)) AS text", {})


def test_damage_is_said(database: Database, tmp_path: Path) -> None:
    database.execute("CREATE TABLE long AS SELECT hex(zeroblob(200000)) AS text", {})
    database.close()
    library = tmp_path / "library.sqlite3"
    content = bytearray(library.read_bytes())
    content[-100_000:] = b"\xff" * 100_000
    library.write_bytes(bytes(content))
    opened = Database(library)
    with pytest.raises(ResourceError, match="cannot be read"):
        opened.rows("SELECT length(text), text FROM long", {})


def test_a_wrong_statement_is_a_bug_and_no_full_disk(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError):
        database.rows("SELECT * FROM nowhere", {})
