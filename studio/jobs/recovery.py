"""The library, opened even where it was lost or damaged: from a backup, and from what lies in the jobs' folders."""

from __future__ import annotations

from pathlib import Path

from studio.home import database_path
from studio.jobs.backups import damage_of, mend
from studio.jobs.database import Database
from studio.jobs.failure import found_in_its_folder
from studio.jobs.job_file import read_job_files
from studio.jobs.lock import StudioLock
from studio.jobs.store import JobStore


def open_library(home: Path, lock: StudioLock) -> tuple[Database, str | None]:
    """Opens the library. A damaged one is set aside first; it, or a lost one, is then filled from the jobs' folders.

    Args:
        lock: Free; held while the library is mended.

    Returns: the library; what was wrong, as a sentence for the person, None if nothing was.
    Raises: ResourceError if it cannot be opened, or has to be mended while another studio uses the folder.
    """
    library = database_path(home)
    is_lost = not library.exists() and any(read_job_files(home / "jobs"))
    if not is_lost and damage_of(library) is None:
        return Database(library), None
    lock.acquire()
    try:
        told = mend(library) or f"The list of jobs, {library.name}, was gone. Jobs were looked for in their folders."
        database = Database(library)
        adopt_found(JobStore(database, home), home)
    finally:
        lock.release()
    return database, told


def adopt_found(store: JobStore, home: Path) -> int:
    """Stores every job whose folder is there and which the library does not know, as interrupted.

    Only for one who holds the studio's lock. Returns: how many.
    """
    return sum(store.adopt(data, found_in_its_folder()) for data in read_job_files(home / "jobs"))
