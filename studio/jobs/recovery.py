"""The library, opened even where it was lost or damaged: from a backup, and from what lies in the jobs' folders."""

from __future__ import annotations

import logging
from pathlib import Path

from engines.errors import UserError
from studio.home import database_path
from studio.jobs.backups import damage_of, mend
from studio.jobs.database import Database
from studio.jobs.job_file import NAME, read_job_file
from studio.jobs.lock import StudioLock
from studio.jobs.store import JobStore

logger = logging.getLogger(__name__)


def open_library(home: Path, lock: StudioLock) -> tuple[Database, str | None]:
    """Opens the library. A damaged one is set aside first; it, or a lost one, is then filled from the jobs' folders.

    Args:
        lock: Free; held while the library is mended.

    Returns: the library; what was wrong, as a sentence for the person, None if nothing was.
    Raises: ResourceError if it cannot be opened, or has to be mended while another studio uses the folder.
    """
    if trouble_of(home) is None:
        return Database(database_path(home)), None
    lock.acquire()
    try:
        return open_mended(home)
    finally:
        lock.release()


def trouble_of(home: Path) -> str | None:
    """Why the library cannot be used as it is, as a sentence; None if it can, or if there was never a job."""
    library = database_path(home)
    if not library.exists():
        is_lost = any(read_job_file(file.parent) for file in (home / "jobs").glob(f"*/{NAME}"))
        return f"The list of jobs, {library.name}, was gone." if is_lost else None
    damage = damage_of(library)
    return None if damage is None else f"The list of jobs was damaged ({damage})."


def open_mended(home: Path) -> tuple[Database, str]:
    """The library after a damaged one was set aside, filled from its backup and from the jobs' folders.

    Only for one who holds the studio's lock. Returns: the library; what was done, as a sentence.
    """
    library = database_path(home)
    told = mend(library) or f"The list of jobs, {library.name}, was gone. Jobs were looked for in their folders."
    database = Database(library)
    adopt_found(JobStore(database, home), home)
    return database, told


def adopt_found(store: JobStore, home: Path) -> int:
    """Stores every job whose folder says whose it is and which the library does not know.

    Only for one who holds the studio's lock. Returns: how many.
    """
    # Not at the top: it reads media, and a studio that starts has no need of that.
    from studio.jobs.found import adopt, look_into

    jobs = 0
    for file in sorted((home / "jobs").glob(f"*/{NAME}")):
        found = None if store.knows(file.parent.name) else look_into(file.parent, owner="")
        if found is None or not found.says_owner:
            continue
        try:
            jobs += adopt(found, store) is not None
        except UserError:
            logger.exception("The job in %s could not be taken into the list again.", file.parent)
    return jobs
