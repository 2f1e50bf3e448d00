"""What a job's folder holds on the disk, looked at anew only when something came or went."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# Where files come and go after a job is over: stills, light copies for the browser.
WATCHED = ("", "work", "previews", "inputs")

# (disk, number of the file on it) → bytes: names that share one file are one entry.
Files = dict[tuple[int, int], int]
_Stamp = tuple[int, ...]


class FolderFiles:
    """Remembers folders of jobs that are over."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Stamp, Files]] = {}

    def of(self, folder: Path, is_over: bool) -> Files:
        """The folder's files; {} if it is gone.

        Args:
            is_over: Whether nothing is written there by an engine; only then it is remembered.
        """
        stamp = _stamp_of(folder)
        known = self._known.get(folder)
        if is_over and known is not None and known[0] == stamp:
            return known[1]
        files = dict(walk(folder))
        if is_over:
            self._known[folder] = (stamp, files)
        return files

    def forget(self, folder: Path) -> None:
        self._known.pop(folder, None)


def _stamp_of(folder: Path) -> _Stamp:
    """When something came to or left the watched folders, in nanoseconds."""
    stamps = []
    for name in WATCHED:
        try:
            stamps.append(os.stat(folder / name).st_mtime_ns)
        except OSError:
            stamps.append(0)
    return tuple(stamps)


def walk(folder: Path) -> Iterator[tuple[tuple[int, int], int]]:
    """Every name of a file in the folder and below: which file on the disk it is, and its bytes."""
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.lstat(os.path.join(parent, name))
            except OSError:
                # It went while it was looked at.
                continue
            yield (found.st_dev, found.st_ino), found.st_size
