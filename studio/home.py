"""Where the studio keeps its things.

    HOME/library.sqlite3   jobs, imported files, forms
    HOME/backups/          copies of the library: one a day, and one before each change of its form
    HOME/jobs/ID/          one folder per job: inputs/ (its own copies), work/ (the engine's parts and results),
                           job.json (the request, should the library be lost), preview.webp, log.txt
    HOME/uploads/          what was uploaded
    HOME/models/           cards of models in folders of one's own (engines.backend.local_models)
    HOME/lost+found/       what `python -m studio.reconcile --repair` set aside
    HOME/logs/             what the worker process prints
    HOME/studio.lock       held by the one studio that uses this folder

HOME is the environment variable FRAMEWRIGHT_HOME, else ~/framewright.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from engines.errors import ResourceError

VARIABLE = "FRAMEWRIGHT_HOME"
# Set by Hugging Face Spaces.
SPACE_VARIABLE = "SPACE_ID"
SUBFOLDERS = ("backups", "jobs", "logs", "uploads")
MINIMUM_FREE_BYTES = 200 * 2**20


def usual_home() -> Path:
    """Where the studio's folder is if nothing else is said; it may not be there yet."""
    given = os.environ.get(VARIABLE, "").strip()
    return Path(given).expanduser() if given else Path.home() / "framewright"


def studio_home() -> Path:
    """The studio's folder, made and tried.

    Raises: ResourceError if it cannot be made or written.
    """
    return prepare_home(usual_home())


def prepare_home(home: Path) -> Path:
    """Makes the folder with its subfolders and tries to write into each. Returns its absolute path.

    Raises: ResourceError if it cannot be made or written.
    """
    home = home.absolute()
    try:
        for folder in (home, *(home / name for name in SUBFOLDERS)):
            folder.mkdir(parents=True, exist_ok=True)
            # Permission bits say too little (root, read-only mounts, network drives): only writing tells.
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        raise ResourceError(
            f"The studio's folder {home} cannot be written: {error.strerror or error}.",
            f"Set the environment variable {VARIABLE} to a folder that you can write to, and start again.",
        ) from error
    return home


def check_free_space(home: Path, further_bytes: int = 0) -> None:
    """Raises ResourceError if the disk under the studio's folder is as good as full.

    Args:
        further_bytes: What is about to be written there.
    """
    free, needed = shutil.disk_usage(home).free, MINIMUM_FREE_BYTES + further_bytes
    if free < needed:
        raise ResourceError(
            f"The disk of {home} has {free / 2**20:.0f} MB left; a job needs at least {needed / 2**20:.0f} MB.",
            f"Free some space, or set {VARIABLE} to a folder on another disk and start again.",
        )


def database_path(home: Path) -> Path:
    return home / "library.sqlite3"


def lock_path(home: Path) -> Path:
    return home / "studio.lock"


def backups_folder(library: Path) -> Path:
    """Where copies of this library lie."""
    return library.parent / "backups"


def job_folder(home: Path, job_id: str) -> Path:
    return home / "jobs" / job_id


def worker_log_path(home: Path) -> Path:
    return home / "logs" / "worker.log"
