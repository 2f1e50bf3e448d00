"""Which files a request may name: what its owner brought, and what its owner's jobs hold. Nothing else is opened."""

from __future__ import annotations

from pathlib import Path

from engines.errors import NotAvailable
from engines.task import request_class
from studio.home import job_folder
from studio.jobs.queue import JobQueue
from studio.uploads import Uploads, not_owned


class OwnedFiles:
    """Looks up whose a file is.

    Args:
        queue: Knows the owners of jobs.
    """

    def __init__(self, queue: JobQueue) -> None:
        self.queue = queue
        self.uploads = Uploads(queue.home)

    def check(self, path: Path, owner: str, field: str | None) -> Path:
        """The file itself, links followed. Raises: InvalidRequest if it is not this owner's or is gone.

        The same answer for a file that is not there and for one that is somebody else's, so that nobody learns which.
        """
        real = path.resolve()
        if self.uploads.owns(real, owner):
            self.uploads.touch(real)
            return real
        if self._is_of_a_job(real, owner):
            return real
        raise not_owned(path.name, field)

    def _is_of_a_job(self, real: Path, owner: str) -> bool:
        jobs = job_folder(self.queue.home, "x").parent.resolve()
        if not real.is_relative_to(jobs) or not real.exists():
            return False
        try:
            self.queue.get(real.relative_to(jobs).parts[0], owner)
        except (NotAvailable, IndexError):
            return False
        return True

    def previews_of(self, path: Path) -> Path:
        """Folder for what the page shows of a file: beside an upload, in the job's folder for a job's file."""
        real = path.resolve()
        if real.is_relative_to(self.uploads.folder.resolve()):
            return real.parent
        jobs = job_folder(self.queue.home, "x").parent.resolve()
        return jobs / real.relative_to(jobs).parts[0] / "previews"


def file_fields(task: str) -> dict[str, str]:
    """Fields of the task's request that hold a file → "video", "image", "weights" or "audio"."""
    schema = request_class(task).model_json_schema()["properties"]
    return {name: one["input"] for name, one in schema.items() if one.get("input")}
