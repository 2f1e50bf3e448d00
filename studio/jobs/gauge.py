"""Peak memory of this process and of a folder on the disk, looked at twice a second."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil  # type: ignore[import-untyped]

from studio.jobs.folder_files import walk

LOOK_SECONDS = 0.5


class Gauge:
    """Looks as long as its `with` block lasts, and once at its end.

    Args:
        folder: Whose files are counted, with those in its folders.

    Attributes:
        memory_bytes: The largest resident memory of this process.
        disk_bytes: The largest sum of the files' sizes.
    """

    def __init__(self, folder: Path) -> None:
        self.memory_bytes = 0
        self.disk_bytes = 0
        self._folder = folder
        self._process = psutil.Process()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="gauge", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self.look()

    def look(self) -> None:
        memory, disk = int(self._process.memory_info().rss), size_of(self._folder)
        # The thread and the caller may look at once: the one that looked first must not forget what the other saw.
        with self._lock:
            self.memory_bytes = max(self.memory_bytes, memory)
            self.disk_bytes = max(self.disk_bytes, disk)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(LOOK_SECONDS)


def size_of(folder: Path) -> int:
    """Bytes of all files in the folder; one that goes while it is looked at counts nothing."""
    return sum(size for _, size in walk(folder))
