"""One SQLite connection that several threads may share. Knows SQL transactions; knows no jobs."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engines.errors import ResourceError
from studio.jobs.backups import back_up, is_due
from studio.jobs.migrations import MIGRATIONS, known_version, migrate


class Database:
    """Opens the library and brings it to the newest version; an older one is copied to the backups first.

    Args:
        path: The SQLite file; made if it is not there.
        durable: Whether a commit survives a power cut (an fsync each). The worker's progress needs only to survive
            the end of its process.

    Raises: ResourceError if the file is no library, is damaged, or cannot be written.
    """

    def __init__(self, path: Path, durable: bool = True) -> None:
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            found = known_version(self._connection)
            if 0 < found < len(MIGRATIONS):
                back_up(self._connection, path, f"before version {len(MIGRATIONS)}")
            migrate(self._connection)
        except (sqlite3.DatabaseError, OSError) as error:
            raise ResourceError(
                f"The studio's library {path} cannot be opened: {error}.",
                "Move this file away to begin with an empty library, or set FRAMEWRIGHT_HOME to another folder.",
            ) from error

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside happens, or nothing; no other thread or process writes in between.

        Raises: ResourceError for a full disk or a damaged library, as every method here.
        """
        with self._lock, _said():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A statement that found the disk full may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def back_up(self, path: Path) -> None:
        """Copies the library at `path` to its backups; others may read and write meanwhile."""
        with self._lock:
            back_up(self._connection, path, "daily")

    def back_up_daily(self, path: Path) -> None:
        """As `back_up`, if the newest backup is older than a day."""
        if is_due(path):
            self.back_up(path)

    def execute(self, statement: str, values: dict[str, Any]) -> int:
        """One writing statement. Returns the number of rows that it touched."""
        with self._lock, _said():
            return self._connection.execute(statement, values).rowcount

    def rows(self, query: str, values: dict[str, Any]) -> list[sqlite3.Row]:
        with self._lock, _said():
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, values: dict[str, Any]) -> sqlite3.Row | None:
        with self._lock, _said():
            found: sqlite3.Row | None = self._connection.execute(query, values).fetchone()
            return found


@contextmanager
def _said() -> Iterator[None]:
    """What is wrong with the disk or the file, in words; what is wrong with a statement stays what it is."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.DataError):
            raise
        if "no such" in str(error) or "syntax" in str(error):
            raise
        raise ResourceError(
            f"The studio's library cannot be read or written: {error}.",
            "Free some space on its disk and try again; a damaged library is mended when the studio starts.",
        ) from error
