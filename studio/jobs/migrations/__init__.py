"""Append-only steps from any older library to this one, applied when the library is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from engines.errors import ResourceError
from studio.jobs.migrations import m001_initial, m002_pause_and_events, m003_favourites, m004_file_facts

# One tuple of SQL statements for each version, the first brings an empty file to version 1.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    m001_initial.STATEMENTS,
    m002_pause_and_events.STATEMENTS,
    m003_favourites.STATEMENTS,
    m004_file_facts.STATEMENTS,
)


def version_of(connection: sqlite3.Connection) -> int:
    """Number of migrations that the library has seen; 0 for an empty file."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations "
        "(version INTEGER PRIMARY KEY, applied TEXT NOT NULL DEFAULT (datetime('now')))"
    )
    return int(connection.execute("SELECT coalesce(max(version), 0) FROM migrations").fetchone()[0])


def known_version(connection: sqlite3.Connection) -> int:
    """As `version_of`, without writing."""
    table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'"
    return version_of(connection) if connection.execute(table).fetchone() else 0


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> int:
    """Brings the library to the newest version, all or nothing. Returns the version.

    Args:
        connection: In autocommit mode (isolation_level None).

    Raises: ResourceError if the library was written by a newer Framewright.
    """
    # IMMEDIATE: studio and worker may open the library at the same moment, one of them migrates.
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = version_of(connection)
        if found > len(migrations):
            raise ResourceError(
                f"The studio's library has version {found}; this Framewright knows versions up to {len(migrations)}.",
                "Update Framewright, or set FRAMEWRIGHT_HOME to another folder.",
            )
        for version in range(found + 1, len(migrations) + 1):
            for statement in migrations[version - 1]:
                connection.execute(statement)
            connection.execute("INSERT INTO migrations (version) VALUES (?)", (version,))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return len(migrations)
