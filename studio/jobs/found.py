"""Jobs whose folder is there and whose row is lost: what they were, and whether they had come to their end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engines.errors import FramewrightError, UserError
from engines.media.metadata import read_request, sidecar_of
from engines.media.probe import MediaInfo, probe
from engines.media.target import FORMATS
from engines.task import OutputFile, Result, recorded_fields, request_class
from studio.jobs.failure import found_in_its_folder
from studio.jobs.imports import key_of, settings_in
from studio.jobs.inputs import FOLDER, input_fields, sha256_of
from studio.jobs.job import IMPORTED
from studio.jobs.job_file import JOB_ID, read_job_file, write_job_file
from studio.jobs.stills import still_path, write_still
from studio.jobs.store import JobStore

CONTACT_SHEET = "contact_sheet.png"


@dataclass(frozen=True)
class Found:
    """A job as its folder tells it.

    Attributes:
        folder: The job's own.
        data: As in its job.json, see job_file.py.
        videos: (file, seed or None) of a whole result; () if it had not come to its end.
        says_owner: Whether the folder tells whose it is; a record inside a video does not.
    """

    folder: Path
    data: dict[str, Any]
    videos: tuple[tuple[Path, int | None], ...]
    says_owner: bool

    @property
    def is_whole(self) -> bool:
        return bool(self.videos)


def look_into(folder: Path, owner: str) -> Found | None:
    """What the folder of a job tells; None if it tells of no job. Changes nothing.

    Args:
        owner: Whose it is taken to be if its job.json is lost.
    """
    if not JOB_ID.fullmatch(folder.name):
        return None
    data = read_job_file(folder)
    if data is None:
        records = [record for _, record in _recorded(folder)]
        return None if not records else _whole(folder, _data_of(folder, records[0], owner), says_owner=False)
    found = _whole(folder, data, says_owner=True)
    # What was imported is its file; without it there is nothing to go on with.
    return None if data["task"] == IMPORTED and not found.is_whole else found


def adopt(found: Found, store: JobStore) -> Literal["done", "interrupted"] | None:
    """Stores the job again: done if its result is whole, else to be retried. None if the library knows it.

    Raises: UserError if its files cannot be read after all.
    """
    if store.knows(found.data["id"]):
        return None
    if not found.is_whole:
        return "interrupted" if store.adopt(found.data, found_in_its_folder()) else None
    finished = max(path.stat().st_mtime for path, _ in found.videos)
    key = key_of(sha256_of(found.videos[0][0])) if found.data["task"] == IMPORTED else None
    if not store.add_finished(found.data, _result(found), found.folder, finished, key):
        return None
    if not found.says_owner:
        write_job_file(found.folder, found.data)
    return "done"


def _whole(folder: Path, data: dict[str, Any], says_owner: bool) -> Found:
    if data["task"] == IMPORTED:
        video = folder / str(data["fields"].get("video"))
        return Found(folder, data, ((video, None),) if _is_media(video) else (), says_owner)
    videos = [(path, _whole_number(record.get("seed"))) for path, record in _recorded(folder) if
              record["task"] == data["task"]]  # fmt: skip
    is_whole = len(videos) >= (_whole_number(data["fields"].get("takes")) or 1)
    return Found(folder, data, tuple(videos) if is_whole else (), says_owner)


def _whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _recorded(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Results with the request that made them; what an engine has not finished carries none yet."""
    for path in sorted((folder / "work").glob("*")):
        if path.suffix.lower() not in FORMATS or not _is_media(path):
            continue
        try:
            record = read_request(path)
            request_class(str(record.get("task")))
        except UserError:
            continue
        yield path, record


def _is_media(path: Path) -> bool:
    try:
        probe(path)
    except FramewrightError:
        return False
    return True


def _data_of(folder: Path, record: dict[str, Any], owner: str) -> dict[str, Any]:
    """What the job.json would say, from a request inside a result and the inputs that lie beside it."""
    fields = recorded_fields(record)
    inputs: dict[str, list[dict[str, Any]]] = {}
    for name in input_fields(request_class(record["task"])):
        copies = sorted((folder / FOLDER / name).glob("*"))
        if copies:
            fields[name] = copies[0].relative_to(folder).as_posix()
            inputs[name] = [{"name": copies[0].name, "sha256": sha256_of(copies[0])}]
    created = folder.stat().st_mtime
    return {"id": folder.name, "owner": owner, "task": record["task"], "created": created, "fields": fields,
            "inputs": inputs}  # fmt: skip


def _result(found: Found) -> Result:
    files: list[OutputFile] = []
    measured: dict[str, float] = {}
    work = found.folder / "work"
    for path, seed in found.videos:
        info = probe(path)
        measured = measured or _measured(info)
        files.append(OutputFile(path=path, kind="video", seed=seed))
        still = still_path(path, work)
        if not still.is_file():
            write_still(info, still)
        files.append(OutputFile(path=still, kind="thumbnail", seed=seed))
        if sidecar_of(path).is_file():
            files.append(OutputFile(path=sidecar_of(path), kind="metadata", seed=seed))
    if (work / CONTACT_SHEET).is_file():
        files.append(OutputFile(path=work / CONTACT_SHEET, kind="contact_sheet"))
    is_import = found.data["task"] == IMPORTED
    return Result(files=files, measurements=measured, warnings=settings_in(found.videos[0][0])[1] if is_import else [])


def _measured(info: MediaInfo) -> dict[str, float]:
    frames = round(info.duration_seconds * float(info.fps))
    return {"width": float(info.width), "height": float(info.height), "fps": float(info.fps), "frames": float(frames)}
