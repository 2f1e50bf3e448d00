"""Looks at a studio's folder from outside: its library is only read, its files only listed."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Of SQLite's file format: the byte of the shared-memory file that whoever writes to the log holds a lock on.
WRITE_LOCK_BYTE = 120
_FLOCK = "hhqqi4x"
RESULT = "interpolated.mp4"


@dataclass(frozen=True)
class Moment:
    """A job at one moment.

    Attributes:
        phase: What it was doing, as the page says it.
        finished: Frames that were rendered.
        saved: Those of them that lie on the disk in whole chunks.
    """

    job_id: str
    phase: str
    finished: int
    saved: int


class Observer:
    """Args: home: The studio's folder, with a library in it."""

    def __init__(self, home: Path, chunk_frames: int) -> None:
        self._home, self._chunk_frames = home, chunk_frames
        self._library = home / "library.sqlite3"
        self._connection = sqlite3.connect(f"file:{self._library}?mode=ro", uri=True, timeout=30, isolation_level=None)
        # Kept open: closing a second handle of a file would drop SQLite's own locks in this process.
        self._shared = os.open(self._library.with_name(f"{self._library.name}-shm"), os.O_RDWR)

    def close(self) -> None:
        self._connection.close()
        os.close(self._shared)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()

    def statuses(self) -> dict[str, str]:
        return dict(self.rows("SELECT id, status FROM jobs"))

    def running(self, lengths: Mapping[str, int]) -> Moment | None:
        """The job that its library says is running.

        Args:
            lengths: Frames of each job's result.
        """
        found = self.rows("SELECT id, phase, step FROM jobs WHERE status = 'running'")
        if not found:
            return None
        job_id, phase, step = found[0]
        length = lengths[job_id]
        if (self._work(job_id) / "segments" / "joined.json").is_file():
            chunks = -(-length // self._chunk_frames)
        else:
            chunks = len(list((self._work(job_id) / "segments").glob("0*.json")))
        saved = min(length, chunks * self._chunk_frames)
        return Moment(job_id, phase, max(saved, step if phase == "rendering" else 0), saved)

    def running_id(self) -> str | None:
        found = self.rows("SELECT id FROM jobs WHERE status = 'running'")
        return str(found[0][0]) if found else None

    def is_encoding(self, job_id: str) -> bool:
        """Whether the job's result is being put together from its chunks: its file lies there half-written."""
        return (self._work(job_id) / f"{RESULT}.part").exists()

    def writing_process(self) -> int | None:
        """The process that is inside a writing transaction of the library at this very moment."""
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, WRITE_LOCK_BYTE, 1, 0)
        kind, _, _, _, process = struct.unpack(_FLOCK, fcntl.fcntl(self._shared, fcntl.F_GETLK, asked))
        return None if kind == fcntl.F_UNLCK else int(process)

    def _work(self, job_id: str) -> Path:
        return self._home / "jobs" / job_id / "work"
