"""Files that a person brought into the gallery. Rows beside the renders, done from their first moment.

JOB/inputs/video/NAME            the file's own copy, as an input of a render has one
JOB/inputs/video/NAME.json       the settings of a GIF or picture sequence, if they came with it
JOB/work/NAME_thumbnail.webp     its still
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engines.errors import MediaError, ResourceError, UserError
from engines.media.metadata import read_request, sidecar_of
from engines.task import OutputFile, Result
from studio.home import VARIABLE, check_free_space, job_folder
from studio.jobs.disk import Disk
from studio.jobs.inputs import FOLDER, keep_file, sha256_of
from studio.jobs.job import IMPORTED, Job
from studio.jobs.job_file import write_job_file
from studio.jobs.stills import still_path, write_still
from studio.jobs.store import JobStore, new_job_id
from studio.source_preview import info_of

UNREADABLE_SETTINGS = "It says that Framewright made it, but its settings cannot be read."


@dataclass(frozen=True)
class Import:
    """What became of a file.

    Attributes:
        name: As it was brought.
        job: Its place in the gallery; of a file that is there already, the import or render that it is.
        kind: "new"; "known" if the same bytes are there already; "restored" if they lay in the trash.
    """

    name: str
    job: Job
    kind: Literal["new", "known", "restored"]


class Imports:
    """Takes files into the library at `home`.

    Args:
        disk: Says whether there is room.
    """

    def __init__(self, store: JobStore, disk: Disk, home: Path) -> None:
        self._store, self._disk, self._home = store, disk, home

    def add(self, given: Path, owner: str, sidecar: Path | None = None) -> Import:
        """Copies a video, GIF, picture or picture sequence into the gallery. The file that is given is only read.

        Args:
            sidecar: The settings that lay beside a GIF or picture sequence.

        Raises: MediaError for what is no media; LimitExceeded for what is too large; ResourceError if there is no room.
        """
        info_of(given)
        digest = sha256_of(given)
        known = self._known(given.name, digest, owner)
        if known is not None:
            return known
        check_free_space(self._home, given.stat().st_size)
        self._disk.check_room(owner, given.stat().st_size)
        folder = job_folder(self._home, new_job_id())
        try:
            is_new = self._keep(given, sidecar, folder, owner, digest)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if is_new:
            return Import(given.name, self._store.get(folder.name, owner), "new")
        # Somebody brought the same file at the same moment.
        shutil.rmtree(folder, ignore_errors=True)
        return self._known(given.name, digest, owner) or self.add(given, owner, sidecar)

    def _known(self, name: str, digest: str, owner: str) -> Import | None:
        """The owner's import or render that is this very file."""
        for job in self._store.with_file(digest, owner):
            if _is_there(job):
                if job.trashed:
                    return Import(name, self._store.set_trashed(job.id, owner, False), "restored")
                return Import(name, job, "known")
            if job.task == IMPORTED:
                # Its file was taken away behind the studio's back: the place is free again.
                self._disk.remove(job.id, owner)
        return None

    def _keep(self, given: Path, sidecar: Path | None, folder: Path, owner: str, digest: str) -> bool:
        """Returns: whether it is in the gallery now; False if it was there before."""
        name = Path(FOLDER, "video", given.name)
        copy = folder / name
        try:
            folder.mkdir()
            keep_file(given, copy, self._home)
            if sidecar is not None:
                keep_file(sidecar, sidecar_of(copy), self._home)
            data, warnings = described(copy, folder, owner, digest)
            result = result_of(copy, folder, warnings)
            write_job_file(folder, data)
        except OSError as error:
            raise ResourceError(
                f"“{given.name}” cannot be copied into the gallery: {error.strerror or error}.",
                f"Free some space, make {self._home} writable, or set {VARIABLE} to another folder and start again.",
            ) from error
        return self._store.add_finished(data, result, folder, data["created"], key_of(digest))


def _is_there(job: Job) -> bool:
    files = job.result.files if job.result else []
    return any(file.path.exists() for file in files if file.kind == "video")


def key_of(digest: str) -> str:
    """The key under which a file is there once. No client can send it: a key of theirs has no line break."""
    return f"{IMPORTED}\n{digest}"


def described(copy: Path, folder: Path, owner: str, digest: str) -> tuple[dict[str, Any], list[str]]:
    """(what its job.json holds, sentences about what could not be read). Raises: MediaError, LimitExceeded."""
    info = info_of(copy)
    facts = {"name": copy.name, "width": info.width, "height": info.height, "fps": float(info.fps),
             "seconds": info.duration_seconds, "sha256": digest}  # fmt: skip
    record, warnings = settings_in(copy)
    fields = {"video": copy.relative_to(folder).as_posix(), "record": record}
    data = {"id": folder.name, "owner": owner, "task": IMPORTED, "created": time.time(), "fields": fields,
            "inputs": {"video": [facts]}}  # fmt: skip
    return data, warnings


def settings_in(path: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """(the request that Framewright made the file from, sentences). None for a file from elsewhere."""
    try:
        return read_request(path), []
    except MediaError:
        return None, [UNREADABLE_SETTINGS]
    except UserError:
        return None, []


def result_of(copy: Path, folder: Path, warnings: list[str]) -> Result:
    """The file and its still, which is made now. Raises: MediaError if no frame of it can be decoded; ResourceError."""
    info = info_of(copy)
    still = write_still(info, still_path(copy, folder / "work"))
    files = [OutputFile(path=copy, kind="video"), OutputFile(path=still, kind="thumbnail")]
    measured = {"width": float(info.width), "height": float(info.height), "fps": float(info.fps)}
    return Result(files=files, measurements=measured, warnings=warnings)
