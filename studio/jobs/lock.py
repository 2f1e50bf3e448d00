"""One studio for each folder: a lock that the operating system takes back when its holder ends, however it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from engines.errors import ResourceError


class StudioLock:
    """An exclusive lock on a file.

    Why: at its start a studio queues every running job again. That is right only if no other studio runs them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Raises ResourceError if another studio holds it."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(file)
        except OSError as error:
            os.close(file)
            raise ResourceError(
                f"Another studio is using the folder {self._path.parent}.",
                "Close the other studio, or set FRAMEWRIGHT_HOME to another folder for this one.",
            ) from error
        self._file = file

    def release(self) -> None:
        """Closing the file gives the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _lock(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
