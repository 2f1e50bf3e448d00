"""Copies of the library, and the way back to one when it is damaged. Knows SQLite files; knows no jobs."""

from __future__ import annotations

import re
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from studio.home import backups_folder

MOST_BACKUPS = 10
DAY_SECONDS = 24 * 3600
# Files that SQLite keeps beside the library; they belong to it and are useless to another one.
COMPANIONS = ("-wal", "-shm")


def back_up(connection: sqlite3.Connection, library: Path, reason: str) -> Path:
    """Copies the library; the copy is there whole or not at all, and the oldest beyond MOST_BACKUPS go.

    Args:
        reason: Goes into the name: "daily", "before version 2".
    """
    folder = backups_folder(library)
    folder.mkdir(exist_ok=True)
    copy = folder / f"{library.stem} {_stamp()} {reason}{library.suffix}"
    part = copy.with_suffix(".part")
    part.unlink(missing_ok=True)
    target = sqlite3.connect(part)
    try:
        connection.backup(target)
        # One file, whatever mode the library is in.
        target.execute("PRAGMA journal_mode = DELETE")
    finally:
        target.close()
    part.replace(copy)
    for old in backups(library)[MOST_BACKUPS:]:
        old.unlink(missing_ok=True)
    return copy


def backups(library: Path) -> list[Path]:
    """The newest first."""
    return sorted(backups_folder(library).glob(f"{library.stem} *{library.suffix}"), reverse=True)


def is_due(library: Path) -> bool:
    """Whether the newest backup is older than a day."""
    found = backups(library)
    return not found or time.time() - found[0].stat().st_mtime > DAY_SECONDS


def damage_of(library: Path) -> str | None:
    """What is wrong with the file; None for a good library, an empty one, and one that cannot be looked at."""
    if not library.is_file() or not library.stat().st_size:
        return None
    connection = sqlite3.connect(library, timeout=30)
    try:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        # A locked or unreadable file is not damaged: moving it away would lose it.
        damaged = (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        return str(error) if damaged else None
    finally:
        connection.close()
    return None if found == "ok" else re.sub(r"\s+", " ", found)


def mend(library: Path) -> str | None:
    """Sets a damaged library aside and puts the newest good backup in its place.

    Only for one who holds the studio's lock. Returns: a sentence for the person, None if nothing was wrong.
    """
    damage = damage_of(library)
    if damage is None:
        return None
    aside = library.with_name(f"{library.stem} damaged {_stamp()}{library.suffix}")
    for companion in COMPANIONS:
        beside = library.with_name(library.name + companion)
        if beside.exists():
            beside.replace(aside.with_name(aside.name + companion))
    library.replace(aside)
    told = f"The list of jobs was damaged ({damage}). It was set aside as “{aside.name}”."
    for backup in backups(library):
        if damage_of(backup) is None:
            part = library.with_suffix(".part")
            part.write_bytes(backup.read_bytes())
            part.replace(library)
            when = datetime.fromtimestamp(backup.stat().st_mtime).strftime("%d %B %Y, %H:%M")
            return f"{told} The copy of {when} is in its place; jobs that came later were looked for in their folders."
    return f"{told} There was no copy of it; jobs were looked for in their folders."


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H.%M.%S.%f")
