"""What a person may do with jobs and forms. Every query takes the owner; ids are random, 128 bits."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engines.errors import InvalidRequest, NotAvailable
from engines.task import Result
from studio.home import job_folder
from studio.jobs.database import Database
from studio.jobs.job import RETRYABLE, Job

# The place in the queue is counted over all owners: it is how long one waits, and says nothing about whose they are.
_SELECT = """
    SELECT *, CASE status WHEN 'queued' THEN
        (SELECT count(*) FROM jobs AS ahead WHERE ahead.status = 'queued' AND ahead.place <= jobs.place)
    END AS position FROM jobs
"""
# Ids come from clients: anything else than an id of ours is unknown before SQLite sees it.
_JOB_ID = re.compile("[0-9a-f]{32}")
_NEXT_PLACE = "(SELECT coalesce(max(place), 0) + 1 FROM jobs)"


def new_job_id() -> str:
    return secrets.token_hex(16)


class JobStore:
    """Jobs and forms of the library at `home`, as their owners see and change them."""

    def __init__(self, database: Database, home: Path) -> None:
        self._database = database
        self._home = home

    def add(self, job_id: str, task: str, fields: dict[str, Any], owner: str, idempotency_key: str | None) -> Job:
        """Stores a queued job. The same key again returns the job that it stored the first time.

        Raises: InvalidRequest if the key was used for another request.
        """
        with self._database.transaction() as connection:
            known = self._by_key(connection, owner, idempotency_key)
            if known is not None:
                if known["task"] != task or json.loads(known["fields"]) != fields:
                    raise InvalidRequest(
                        f"The idempotency key “{idempotency_key}” was used for another request before.",
                        "Send a new key with each new request; send the same key only to repeat the same request.",
                        field="idempotency_key",
                    )
                job_id = known["id"]
            else:
                connection.execute(
                    f"""INSERT INTO jobs (id, owner, task, fields, idempotency_key, status, place, created)
                    VALUES (:id, :owner, :task, :fields, :key, 'queued', {_NEXT_PLACE}, :now)""",
                    {"id": job_id, "owner": owner, "task": task, "fields": json.dumps(fields),
                     "key": idempotency_key, "now": time.time()},
                )  # fmt: skip
        return self.get(job_id, owner)

    def _by_key(self, connection: sqlite3.Connection, owner: str, key: str | None) -> sqlite3.Row | None:
        if key is None:
            return None
        query = "SELECT id, task, fields FROM jobs WHERE owner = :owner AND idempotency_key = :key"
        found: sqlite3.Row | None = connection.execute(query, {"owner": owner, "key": key}).fetchone()
        return found

    def get(self, job_id: str, owner: str) -> Job:
        """Raises NotAvailable for an unknown job and, in the same words, for somebody else's."""
        row = None
        if _JOB_ID.fullmatch(str(job_id)):
            row = self._database.row(_SELECT + "WHERE id = :id AND owner = :owner", {"id": job_id, "owner": owner})
        if row is None:
            shown = str(job_id) if len(str(job_id)) <= 40 else str(job_id)[:39] + "…"
            raise NotAvailable(
                f"There is no job “{shown}”.", "Choose one from the list of your jobs, or submit a new one.", "job_id"
            )
        return self._job(row)

    def list_jobs(self, owner: str, task: str | None, limit: int, trashed: bool) -> list[Job]:
        """The newest first."""
        rows = self._database.rows(
            _SELECT
            + """WHERE owner = :owner AND (:task IS NULL OR task = :task) AND (trashed IS NOT NULL) = :trashed
            ORDER BY created DESC, place DESC LIMIT :limit""",
            {"owner": owner, "task": task, "limit": max(0, limit), "trashed": trashed},
        )
        return [self._job(row) for row in rows]

    def cancel(self, job_id: str, owner: str) -> Job:
        """A queued job ends at once, a running one at its next step; nothing happens to one that is over."""
        self.get(job_id, owner)
        self._database.execute(
            """UPDATE jobs SET cancel_requested = :now,
                finished = CASE status WHEN 'queued' THEN :now ELSE finished END,
                status = CASE status WHEN 'queued' THEN 'cancelled' ELSE status END
            WHERE id = :id AND owner = :owner AND status IN ('queued', 'running') AND cancel_requested IS NULL""",
            {"id": job_id, "owner": owner, "now": time.time()},
        )
        return self.get(job_id, owner)

    def retry(self, job_id: str, owner: str) -> Job:
        """Puts a job that did not come to its end behind the others again, with the same folder.

        Raises: InvalidRequest if it is queued, running or done.
        """
        self.get(job_id, owner)
        touched = self._database.execute(
            f"""UPDATE jobs SET status = 'queued', place = {_NEXT_PLACE}, attempt = attempt + 1, trashed = NULL,
                worker = NULL, cancel_requested = NULL, started = NULL, finished = NULL, error = NULL,
                phase = '', step = 0, total = 0, message = '', seconds_left = NULL, reported = NULL
            WHERE id = :id AND owner = :owner AND status IN ({", ".join(f"'{status}'" for status in RETRYABLE)})""",
            {"id": job_id, "owner": owner},
        )
        job = self.get(job_id, owner)
        if not touched:
            raise InvalidRequest(
                f"The job is {job.status}; only a job that failed, was cancelled or was interrupted can be retried.",
                "Wait for it or cancel it." if not job.is_over else "Submit its request again as a new job.",
                field="job_id",
            )
        return job

    def set_trashed(self, job_id: str, owner: str, trashed: bool) -> Job:
        self.get(job_id, owner)
        self._database.execute(
            "UPDATE jobs SET trashed = :trashed WHERE id = :id AND owner = :owner",
            {"id": job_id, "owner": owner, "trashed": time.time() if trashed else None},
        )
        return self.get(job_id, owner)

    def finished_runs(self, owner: str, task: str, limit: int = 50) -> list[tuple[dict[str, Any], dict[str, float]]]:
        """(request fields, seconds by phase) of the latest jobs that were rendered in one go."""
        rows = self._database.rows(
            """SELECT fields, phase_seconds FROM jobs
            WHERE owner = :owner AND task = :task AND status = 'done' AND phase_seconds IS NOT NULL
            ORDER BY finished DESC LIMIT :limit""",
            {"owner": owner, "task": task, "limit": limit},
        )
        return [(json.loads(row["fields"]), json.loads(row["phase_seconds"])) for row in rows]

    def save_form(self, owner: str, task: str, values: dict[str, Any]) -> None:
        self._database.execute(
            """INSERT INTO forms (owner, task, fields, saved) VALUES (:owner, :task, :fields, :now)
            ON CONFLICT (owner, task) DO UPDATE SET fields = excluded.fields, saved = excluded.saved""",
            {"owner": owner, "task": task, "fields": json.dumps(values), "now": time.time()},
        )

    def load_form(self, owner: str, task: str) -> dict[str, Any] | None:
        row = self._database.row(
            "SELECT fields FROM forms WHERE owner = :owner AND task = :task", {"owner": owner, "task": task}
        )
        if row is None:
            return None
        values: dict[str, Any] = json.loads(row["fields"])
        return values

    def _job(self, row: sqlite3.Row) -> Job:
        now = time.time()
        folder = job_folder(self._home, row["id"])
        running = row["status"] == "running"
        left = row["seconds_left"] if running else None
        return Job(
            id=row["id"], task=row["task"], owner=row["owner"], fields=json.loads(row["fields"]),
            status=row["status"], position=row["position"],
            phase=row["phase"], step=row["step"], total=row["total"], message=row["message"],
            seconds_left=None if left is None else max(0.0, left - (now - row["reported"])),
            seconds_running=0.0 if row["started"] is None else max(0.0, (row["finished"] or now) - row["started"]),
            preview=folder / "preview.webp" if row["preview_version"] else None,
            preview_version=row["preview_version"],
            result=_read_result(row["result"], folder),
            error=None if row["error"] is None else json.loads(row["error"]),
            warnings=json.loads(row["warnings"]),
            created=_iso(row["created"]) or "", started=_iso(row["started"]), finished=_iso(row["finished"]),
            folder=folder, attempt=row["attempt"], trashed=row["trashed"] is not None,
        )  # fmt: skip


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _read_result(text: str | None, folder: Path) -> Result | None:
    if text is None:
        return None
    result = Result.model_validate_json(text)
    files = [file.model_copy(update={"path": folder / file.path}) for file in result.files]
    return result.model_copy(update={"files": files})
