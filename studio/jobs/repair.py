"""Mends what an inspection found. Deletes nothing that somebody may miss: what is in the way goes to lost+found."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engines.errors import MediaError
from engines.media.probe import probe
from studio.home import job_folder
from studio.jobs.database import Database
from studio.jobs.disk import Disk
from studio.jobs.dispatch import Dispatch
from studio.jobs.failure import ErrorData, studio_died
from studio.jobs.found import adopt, look_into
from studio.jobs.inspection import BESIDE_A_VIDEO, Finding, Kind
from studio.jobs.job import IMPORTED
from studio.jobs.job_file import write_job_file
from studio.jobs.result_files import facts_of_file
from studio.jobs.stills import write_still
from studio.jobs.store import JobStore

LOST_AND_FOUND = "lost+found"


class Repair:
    """Only for one who holds the studio's lock.

    Args:
        database: The library, open.
        home: The studio's folder.
        owner: Whose a found job is taken to be if nothing says it.
    """

    def __init__(self, database: Database, home: Path, owner: str) -> None:
        self._database, self._home, self._owner = database, home, owner
        self._store = JobStore(database, home)
        self._today = time.strftime("%Y-%m-%d %H.%M.%S")
        self._ways: dict[Kind, Callable[[Finding], str]] = {
            "running_alone": self._release,
            "file_gone": self._drop,
            "still_gone": self._draw_still,
            "file_changed": self._replace_changed,
            "job_file_gone": self._write_job_file,
            "found_whole": self._adopt,
            "found_unfinished": self._adopt,
            "rubbish": self._set_aside,
            "part": self._set_aside,
            "leaving": self._finish_removing,
        }

    def mend(self, finding: Finding) -> str | None:
        """What was done, as a sentence; None if nothing can be. Raises: UserError, OSError: it is as it was."""
        way = self._ways.get(finding.kind)
        return None if way is None else way(finding)

    def _release(self, finding: Finding) -> str:
        Dispatch(self._database).release_running(studio_died(), is_crash=False)
        return "It goes on when the studio is started."

    def _adopt(self, finding: Finding) -> str:
        found = look_into(finding.path, self._owner)
        how = None if found is None else adopt(found, self._store)
        whose = "" if found is None or found.says_owner else f" It belongs to “{self._owner}” now."
        return {
            "done": f"It is in the gallery again.{whose}",
            "interrupted": f"It is in the list again and can be retried; its finished parts are kept.{whose}",
            None: "It is in the list already.",
        }[how]

    def _set_aside(self, finding: Finding) -> str:
        return f"It lies in {self._moved(finding.path).parent.relative_to(self._home)} now."

    def _moved(self, path: Path) -> Path:
        """Moves a file or folder of the home to lost+found, where it keeps its place. Returns: its new path."""
        target = self._home / LOST_AND_FOUND / self._today / path.relative_to(self._home)
        while target.exists():
            target = target.with_name(target.name + " again")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
        return target

    def _finish_removing(self, finding: Finding) -> str:
        Disk(self._database, self._home, None).finish_removing()
        return "It is removed: somebody had confirmed that."

    def _write_job_file(self, finding: Finding) -> str:
        row = self._row(finding.job_id)
        data = {name: row[name] for name in ("id", "owner", "task", "created")}
        write_job_file(finding.path, {**data, "fields": json.loads(row["fields"]), "inputs": json.loads(row["inputs"])})
        return "It was written again."

    def _draw_still(self, finding: Finding) -> str:
        """From the video of the same take. One whose video is gone or unreadable is only crossed out."""
        result = json.loads(self._row(finding.job_id)["result"])
        still = self._listed(result, finding)
        video = next((one for one in result["files"] if one["kind"] == "video" and one["seed"] == still["seed"]), None)
        try:
            if video is None:
                raise MediaError("Its video is gone.", "Retry it.")
            write_still(probe(self._folder(finding) / video["path"]), finding.path)
        except MediaError:
            self._keep(finding, [one for one in result["files"] if one != still])
            return "Its video cannot be read; it is shown without one."
        self._keep(finding, result["files"])
        return "It was made again from the video."

    def _replace_changed(self, finding: Finding) -> str:
        target = self._moved(finding.path)
        files = json.loads(self._row(finding.job_id)["result"])["files"]
        stills = [self._folder(finding) / one["path"] for one in files if one["kind"] == "thumbnail"]
        done = self._draw_still(finding) if finding.path in stills else self._drop(finding)
        return f"It lies in {target.parent.relative_to(self._home)} now. {done}"

    def _drop(self, finding: Finding) -> str:
        """Takes a file that is gone out of the result; a job without any video left is no longer done."""
        result = json.loads(self._row(finding.job_id)["result"])
        gone = self._listed(result, finding)
        kept = [one for one in result["files"] if one != gone]
        if gone["kind"] == "video":
            kept = [one for one in kept if one["seed"] != gone["seed"] or one["kind"] not in BESIDE_A_VIDEO]
        if any(one["kind"] == "video" for one in kept):
            self._keep(finding, kept)
            return "The result is listed without it."
        return self._interrupt(finding)

    def _interrupt(self, finding: Finding) -> str:
        is_import = self._row(finding.job_id)["task"] == IMPORTED
        error = _gone(finding.path.name, is_import)
        self._database.execute(
            """UPDATE jobs SET status = 'interrupted', result = NULL, file_facts = '{}', error = :error,
                message = :message WHERE id = :id AND status = 'done'""",
            {"id": finding.job_id, "error": json.dumps(error), "message": error["message"]},
        )
        return f"The job is marked as interrupted. {error['fix']}"

    def _keep(self, finding: Finding, files: list[dict[str, Any]]) -> None:
        """Stores these as the result's files, and what they are now."""
        folder, row = self._folder(finding), self._row(finding.job_id)
        known = json.loads(row["file_facts"])
        facts = {one["path"]: known.get(one["path"]) for one in files if one["path"] in known}
        if any(folder / one["path"] == finding.path for one in files):
            path = finding.path.relative_to(folder).as_posix()
            facts[path] = facts_of_file(finding.path)
        result = {**json.loads(row["result"]), "files": files}
        self._database.execute(
            "UPDATE jobs SET result = :result, file_facts = :facts WHERE id = :id",
            {"id": finding.job_id, "result": json.dumps(result), "facts": json.dumps(facts)},
        )

    def _listed(self, result: dict[str, Any], finding: Finding) -> dict[str, Any]:
        folder = self._folder(finding)
        found: dict[str, Any] | None = next(
            (one for one in result["files"] if folder / one["path"] == finding.path), None
        )
        if found is None:
            raise MediaError(f"“{finding.path.name}” is no longer listed.", "Nothing has to be done.")
        return found

    def _folder(self, finding: Finding) -> Path:
        return job_folder(self._home, finding.job_id)

    def _row(self, job_id: str) -> Any:
        row = self._database.row("SELECT * FROM jobs WHERE id = :id", {"id": job_id})
        if row is None:
            raise MediaError("The job is gone.", "Nothing has to be done.")
        return row


def _gone(name: str, is_import: bool) -> ErrorData:
    fix = "Import it again." if is_import else "Retry the job to render it again."
    return {"code": "media_error", "field": None, "message": f"The file “{name}” is gone from the disk.", "fix": fix}
