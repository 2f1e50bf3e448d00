"""What jobs take on the disk, and how that is given back. Nothing goes but what a person said may go."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engines.errors import ResourceError
from studio.home import job_folder
from studio.jobs.database import Database
from studio.jobs.folder_files import Files, FolderFiles
from studio.jobs.job import RETRYABLE, UNFINISHED
from studio.jobs.quota import DiskUse, check_quota

# Said in the gallery; what lies in the trash for longer goes for good.
TRASH_DAYS = 30
# A folder on its way out: no job's any more, whatever happens to the studio now.
LEAVING = ".removed"

_Condition = Callable[[sqlite3.Row], bool]


@dataclass(frozen=True)
class Freed:
    """What was removed for good.

    Attributes:
        jobs: How many.
        bytes: What the owner uses less.
    """

    jobs: int
    bytes: int


class Disk:
    """The jobs' folders of the library at `home`.

    Args:
        allowed: Bytes that each owner may use; None for no limit.
    """

    def __init__(self, database: Database, home: Path, allowed: int | None) -> None:
        self.allowed = allowed
        self._database, self._home = database, home
        self._files = FolderFiles()

    def use(self, owner: str) -> DiskUse:
        """What this owner's jobs take now."""
        rows = self._database.rows("SELECT id, status, trashed FROM jobs WHERE owner = :owner", {"owner": owner})
        held = {row["id"]: self._files.of(self._folder(row["id"]), row["status"] not in UNFINISHED) for row in rows}
        trash, failed = [row["id"] for row in rows if _is_trash(row)], [row["id"] for row in rows if _is_failed(row)]
        return DiskUse(
            _bytes(held.values()), self.allowed,
            len(trash), _freed_with(trash, held), len(failed), _freed_with(failed, held),
        )  # fmt: skip

    def check_room(self, owner: str, further_bytes: int = 0) -> None:
        """Raises LimitExceeded if the owner uses as much as is allowed, or would with so many bytes more."""
        if self.allowed is not None:
            check_quota(self.use(owner), further_bytes)

    def empty_trash(self, owner: str) -> Freed:
        """Removes what lies in the trash for good; a job that still runs there stays until it has ended.

        Raises: ResourceError if a folder is held by another program; what was removed before stays removed.
        """
        return self._clear(owner, _is_trash)

    def clear_failed(self, owner: str) -> Freed:
        """Removes failed, cancelled and interrupted jobs for good. Raises: as `empty_trash`."""
        return self._clear(owner, _is_failed)

    def remove(self, job_id: str, owner: str) -> None:
        """Removes a job that is over. Raises: as `empty_trash`."""
        self._remove(job_id, owner, lambda row: row["status"] not in UNFINISHED)

    def forget_old_trash(self) -> int:
        """Removes, of all owners, what lies in the trash for longer than TRASH_DAYS. Returns: how many jobs."""
        before = time.time() - TRASH_DAYS * 86400
        rows = self._database.rows("SELECT id, owner FROM jobs WHERE trashed < :before", {"before": before})

        def is_old(row: sqlite3.Row) -> bool:
            return _is_trash(row) and row["trashed"] < before

        return sum(self._remove(row["id"], row["owner"], is_old) for row in rows)

    def finish_removing(self) -> int:
        """Removes what an earlier studio began to remove. Returns: how many folders."""
        left = list(self._folder("x").parent.glob(f"*{LEAVING}"))
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
        return len(left)

    def _clear(self, owner: str, goes: _Condition) -> Freed:
        before = self.use(owner).used
        rows = self._database.rows("SELECT id, status, trashed FROM jobs WHERE owner = :owner", {"owner": owner})
        jobs = sum(self._remove(row["id"], owner, goes) for row in rows if goes(row))
        return Freed(jobs, max(0, before - self.use(owner).used))

    def _remove(self, job_id: str, owner: str, goes: _Condition) -> bool:
        """Returns: whether it went; it stays if it was restored or retried meanwhile."""
        folder = self._folder(job_id)
        leaving = folder.with_name(folder.name + LEAVING)
        # In one transaction: no worker takes the job while its folder goes.
        with self._database.transaction() as connection:
            query = "SELECT status, trashed FROM jobs WHERE id = :id AND owner = :owner"
            row = connection.execute(query, {"id": job_id, "owner": owner}).fetchone()
            if row is None or not goes(row):
                return False
            try:
                if folder.exists():
                    folder.rename(leaving)
            except OSError as error:
                raise ResourceError(
                    f"The folder {folder} cannot be removed: {error.strerror or error}.",
                    "Close programs that show its files, make it writable, and try again.",
                ) from error
            connection.execute("DELETE FROM jobs WHERE id = :id", {"id": job_id})
        shutil.rmtree(leaving, ignore_errors=True)
        self._files.forget(folder)
        return True

    def _folder(self, job_id: str) -> Path:
        return job_folder(self._home, job_id)


def _is_trash(row: sqlite3.Row) -> bool:
    return row["trashed"] is not None and row["status"] not in UNFINISHED


def _is_failed(row: sqlite3.Row) -> bool:
    return row["trashed"] is None and row["status"] in RETRYABLE


def _bytes(held: Iterable[Files]) -> int:
    together: Files = {}
    for files in held:
        together |= files
    return sum(together.values())


def _freed_with(jobs: Sequence[str], held: dict[str, Files]) -> int:
    """Bytes that go with these jobs: files that another job has too stay."""
    gone = set(jobs)
    return _bytes(held.values()) - _bytes(files for job_id, files in held.items() if job_id not in gone)
