"""Compares the library with what lies on the disk. Looks at a copy of the library and changes nothing."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engines.byte_sizes import spoken_bytes
from studio.home import SUBFOLDERS, job_folder
from studio.jobs.disk import LEAVING
from studio.jobs.found import look_into
from studio.jobs.inputs import sha256_of
from studio.jobs.job import IMPORTED, UNFINISHED, prompt_of
from studio.jobs.job_file import read_job_file

Kind = Literal[
    "running_alone", "file_gone", "still_gone", "file_changed", "input_gone", "input_changed", "job_file_gone",
    "found_whole", "found_unfinished", "rubbish", "part", "leaving",
]  # fmt: skip
TITLE_CHARACTERS = 50
# While a studio runs, what is younger may be something that it is about to write down.
SETTLED_SECONDS = 600.0
BESIDE_A_VIDEO = ("thumbnail", "metadata")


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        kind: What it is about; decides how it is mended.
        said: A sentence for the person.
        path: The file or folder.
        job_id: The job that it belongs to, "" for none.
    """

    kind: Kind
    said: str
    path: Path
    job_id: str = ""


class Inspection:
    """One look at a studio's folder.

    Args:
        home: The studio's folder.
        connection: To a library of the newest version, or a copy of one; only read.
        owner: Whose a found job is taken to be if nothing says it.
        deep: Whether every file is read and compared with its digest.
        in_use: Whether a studio is at work there: then what is not over is left alone.

    Attributes:
        jobs: How many jobs were looked at.
    """

    def __init__(
        self, home: Path, connection: sqlite3.Connection, owner: str, deep: bool = False, in_use: bool = False
    ) -> None:
        self.home, self.owner, self.deep, self.in_use = home, owner, deep, in_use
        connection.row_factory = sqlite3.Row
        self._rows = {row["id"]: row for row in connection.execute("SELECT * FROM jobs ORDER BY created, place")}
        self.jobs = len(self._rows)

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong, job by job, then what belongs to no job."""
        for row in self._rows.values():
            if row["status"] not in UNFINISHED:
                yield from self._of_finished(row)
            elif not self.in_use:
                yield from self._of_unfinished(row)
        yield from self._without_row()
        for name in (".", *(one for one in SUBFOLDERS if one != "jobs")):
            yield from self._parts(self.home / name, deep=name == "uploads")

    # Jobs that the library knows.

    def _of_unfinished(self, row: sqlite3.Row) -> Iterator[Finding]:
        folder = job_folder(self.home, row["id"])
        if row["status"] == "running":
            said = f"{_named(row)} is marked as running, but no studio is."
            yield Finding("running_alone", said, folder, row["id"])
        yield from self._inputs(row, folder)

    def _of_finished(self, row: sqlite3.Row) -> Iterator[Finding]:
        folder = job_folder(self.home, row["id"])
        if row["status"] == "done":
            yield from self._result(row, folder)
        if not folder.is_dir():
            return
        if row["status"] != "done" or self.deep:
            yield from self._inputs(row, folder)
        if read_job_file(folder) is None:
            said = f"{_named(row)} has no readable job.json; without it a lost list could not be filled again."
            yield Finding("job_file_gone", said, folder, row["id"])
        yield from self._parts(folder, deep=True)

    def _result(self, row: sqlite3.Row, folder: Path) -> Iterator[Finding]:
        files, known = json.loads(row["result"])["files"], json.loads(row["file_facts"])
        gone: set[int | None] = set()
        videos = [file for file in files if file["kind"] == "video"]
        for file in videos:
            for finding in self._result_file(row, folder, file, known):
                gone.add(file["seed"])
                yield finding
        if all(file["seed"] in gone for file in videos):
            return
        for file in files:
            # What stands beside a video that is gone goes with it.
            if file["kind"] != "video" and not (file["seed"] in gone and file["kind"] in BESIDE_A_VIDEO):
                yield from self._result_file(row, folder, file, known)

    def _result_file(
        self, row: sqlite3.Row, folder: Path, file: dict[str, Any], known: dict[str, Any]
    ) -> Iterator[Finding]:
        path, is_still = folder / file["path"], file["kind"] == "thumbnail"
        if not path.is_file():
            said = f"{_named(row)}: its {'still' if is_still else 'file'} “{path.name}” is gone."
            yield Finding("still_gone" if is_still else "file_gone", said, path, row["id"])
            return
        changed = self._changed(path, known.get(file["path"], {}))
        if changed:
            yield Finding("file_changed", f"{_named(row)}: “{path.name}” {changed}.", path, row["id"])

    def _changed(self, path: Path, known: dict[str, Any]) -> str:
        """What is unlike the day on which it was written, "" if nothing is, or nothing is known."""
        size = path.stat().st_size
        if known and size != known["bytes"]:
            return f"has {_exact(size)}; it had {_exact(known['bytes'])} when it was finished"
        if known and self.deep and sha256_of(path) != known["sha256"]:
            return "holds other bytes than when it was finished"
        return ""

    def _inputs(self, row: sqlite3.Row, folder: Path) -> Iterator[Finding]:
        if row["task"] == IMPORTED:
            # Its file is its result.
            return
        fields, inputs = json.loads(row["fields"]), json.loads(row["inputs"])
        for name, facts in inputs.items():
            paths = fields.get(name)
            for one, fact in zip(paths if isinstance(paths, list) else [paths], facts, strict=False):
                path = folder / str(one)
                if not path.exists():
                    said = f"{_named(row)}: its input “{path.name}” is gone; it cannot be rendered any more."
                    yield Finding("input_gone", said, path, row["id"])
                elif self.deep and "sha256" in fact and sha256_of(path) != fact["sha256"]:
                    said = f"{_named(row)}: its input “{path.name}” holds other bytes than when it was submitted."
                    yield Finding("input_changed", said, path, row["id"])

    # What the library does not know.

    def _without_row(self) -> Iterator[Finding]:
        for path in sorted((self.home / "jobs").iterdir()):
            if path.name in self._rows or self._is_fresh(path):
                continue
            if path.name.endswith(LEAVING):
                yield Finding("leaving", f"“{path.name}” was being removed when the studio ended.", path)
                continue
            found = look_into(path, self.owner) if path.is_dir() else None
            if found is None:
                yield Finding("rubbish", f"“jobs/{path.name}” is no job: nothing in it says what it was.", path)
            elif found.is_whole:
                noun = "An imported file" if found.data["task"] == IMPORTED else "A finished render"
                said = f"{noun} is not in the list: {_quoted(found.data)} in “jobs/{path.name}”."
                yield Finding("found_whole", said, path)
            else:
                said = f"An unfinished job is not in the list: {_quoted(found.data)} in “jobs/{path.name}”."
                yield Finding("found_unfinished", said, path)

    def _parts(self, folder: Path, deep: bool) -> Iterator[Finding]:
        """Files that were never finished, and that nobody is writing now."""
        for part in sorted(folder.rglob("*.part") if deep else folder.glob("*.part")):
            if part.is_file() and not self._is_fresh(part):
                said = f"“{part.relative_to(self.home)}” was never finished ({spoken_bytes(part.stat().st_size)})."
                yield Finding("part", said, part)

    def _is_fresh(self, path: Path) -> bool:
        return self.in_use and time.time() - path.stat().st_mtime < SETTLED_SECONDS


def _named(row: sqlite3.Row) -> str:
    """The job in the words of the gallery, with the beginning of its id."""
    noun = "The imported file" if row["task"] == IMPORTED else "The job"
    return f"{noun} {_quoted({'fields': json.loads(row['fields']), 'task': row['task']})} ({row['id'][:8]})"


def _quoted(data: dict[str, Any]) -> str:
    fields = data["fields"]
    title = " ".join((prompt_of(fields) or Path(str(fields.get("video") or data["task"])).name).split())
    return f"“{title if len(title) <= TITLE_CHARACTERS else title[: TITLE_CHARACTERS - 1] + '…'}”"


def _exact(size: int) -> str:
    return f"{size:,} bytes"
