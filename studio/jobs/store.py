"""What a person may do with jobs and forms. Every query takes the owner; ids are random, 128 bits."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from pathlib import Path
from typing import Any

from engines.errors import InvalidRequest, NotAvailable
from engines.task import Result
from studio.jobs.database import Database
from studio.jobs.job import IMPORTED, RETRYABLE, Event, Job
from studio.jobs.job_file import JOB_ID
from studio.jobs.job_row import iso_time, read_job
from studio.jobs.order import Direction, arrange, moved
from studio.jobs.result_files import stored_result
from studio.jobs.run_history import Run

# The place in the queue is counted over all owners: it is how long one waits, and says nothing about whose they are.
_SELECT = """
    SELECT *, CASE status WHEN 'queued' THEN
        (SELECT count(*) FROM jobs AS ahead WHERE ahead.status = 'queued' AND ahead.place <= jobs.place)
    END AS position FROM jobs
"""
_NEXT_PLACE = "(SELECT coalesce(max(place), 0) + 1 FROM jobs)"


def new_job_id() -> str:
    return secrets.token_hex(16)


class JobStore:
    """Jobs and forms of the library at `home`, as their owners see and change them."""

    def __init__(self, database: Database, home: Path) -> None:
        self._database = database
        self._home = home

    def add(self, data: dict[str, Any], idempotency_key: str | None, priority: int) -> Job:
        """Stores a queued job. The same key again returns the job that it stored the first time.

        Args:
            data: As in its job.json, see job_file.py.

        Raises: InvalidRequest if the key was used for another request.
        """
        job_id, owner = data["id"], data["owner"]
        with self._database.transaction() as connection:
            known = self._by_key(connection, owner, idempotency_key)
            if known is not None:
                same = (known["task"], json.loads(known["fields"]), json.loads(known["inputs"]))
                if same != (data["task"], data["fields"], data["inputs"]):
                    raise InvalidRequest(
                        f"The idempotency key “{idempotency_key}” was used for another request before.",
                        "Send a new key with each new request; send the same key only to repeat the same request.",
                        field="idempotency_key",
                    )
                job_id = known["id"]
            else:
                connection.execute(
                    f"""INSERT INTO jobs
                        (id, owner, task, fields, inputs, idempotency_key, status, place, priority, created)
                    VALUES
                        (:id, :owner, :task, :fields, :inputs, :key, 'queued', {_NEXT_PLACE}, :priority, :created)""",
                    {**_as_columns(data), "key": idempotency_key, "priority": priority},
                )
                arrange(connection, owner)
        return self.get(job_id, owner)

    def adopt(self, data: dict[str, Any], error: dict[str, str | None]) -> bool:
        """Stores a job that was found in its folder as interrupted. Returns False if it is known already."""
        row = {**_as_columns(data), "now": time.time(), "error": json.dumps(error), "message": error["message"]}
        return bool(
            self._database.execute(
                f"""INSERT INTO jobs (id, owner, task, fields, inputs, status, place, created, finished, error, message)
                VALUES (:id, :owner, :task, :fields, :inputs, 'interrupted', {_NEXT_PLACE}, :created, :now, :error,
                    :message)
                ON CONFLICT (id) DO NOTHING""",
                row,
            )
        )

    def add_finished(
        self, data: dict[str, Any], result: Result, folder: Path, finished: float, key: str | None = None
    ) -> bool:
        """Stores a job that is done already: an imported file, or a render that was found in its folder.

        Args:
            data: As in its job.json, see job_file.py.
            result: Its files lie in `folder`, the job's own.
            finished: When, seconds since 1970.
            key: Of the jobs of one owner with the same key, there is one.

        Returns: False if the job or the key is known already.
        Raises: ValueError, FileNotFoundError: as `stored_result`.
        """
        stored, facts = stored_result(result, folder)
        return bool(
            self._database.execute(
                f"""INSERT INTO jobs
                    (id, owner, task, fields, inputs, idempotency_key, status, place, created, finished, result,
                    file_facts)
                VALUES (:id, :owner, :task, :fields, :inputs, :key, 'done', {_NEXT_PLACE}, :created, :finished,
                    :result, :facts)
                ON CONFLICT DO NOTHING""",
                {**_as_columns(data), "key": key, "finished": finished, "result": stored, "facts": facts},
            )
        )

    def knows(self, job_id: str) -> bool:
        """Whether there is such a job, whoever owns it."""
        return self._database.row("SELECT 1 FROM jobs WHERE id = :id", {"id": job_id}) is not None

    def with_file(self, digest: str, owner: str) -> list[Job]:
        """The owner's jobs that made, and imports that are, a file with this SHA-256; those in the trash come last."""
        rows = self._database.rows(
            _SELECT
            + """WHERE owner = :owner
                AND (instr(file_facts, :digest) > 0 OR (task = :imported AND instr(inputs, :digest) > 0))
            ORDER BY trashed IS NOT NULL, created""",
            {"owner": owner, "digest": digest, "imported": IMPORTED},
        )
        return [read_job(row, self._home) for row in rows]

    def _by_key(self, connection: sqlite3.Connection, owner: str, key: str | None) -> sqlite3.Row | None:
        if key is None:
            return None
        query = "SELECT id, task, fields, inputs FROM jobs WHERE owner = :owner AND idempotency_key = :key"
        found: sqlite3.Row | None = connection.execute(query, {"owner": owner, "key": key}).fetchone()
        return found

    def get(self, job_id: str, owner: str) -> Job:
        """Raises NotAvailable for an unknown job and, in the same words, for somebody else's."""
        row = None
        # Ids come from clients: anything else than an id of ours is unknown before SQLite sees it.
        if JOB_ID.fullmatch(str(job_id)):
            row = self._database.row(_SELECT + "WHERE id = :id AND owner = :owner", {"id": job_id, "owner": owner})
        if row is None:
            shown = str(job_id) if len(str(job_id)) <= 40 else str(job_id)[:39] + "…"
            raise NotAvailable(
                f"There is no job “{shown}”.", "Choose one from the list of your jobs, or submit a new one.", "job_id"
            )
        return read_job(row, self._home)

    def list_jobs(
        self, owner: str, task: str | None, limit: int, trashed: bool, with_imports: bool = False
    ) -> list[Job]:
        """The newest first. with_imports: whether no task in particular means imported files too."""
        rows = self._database.rows(
            _SELECT
            + """WHERE owner = :owner AND (trashed IS NOT NULL) = :trashed
                AND (task = :task OR (:task IS NULL AND (:imports OR task != :imported)))
            ORDER BY created DESC, place DESC LIMIT :limit""",
            {"owner": owner, "task": task, "limit": max(0, limit), "trashed": trashed, "imports": with_imports,
             "imported": IMPORTED},
        )  # fmt: skip
        return [read_job(row, self._home) for row in rows]

    def waiting(self, owner: str) -> list[Job]:
        """The owner's jobs that are not over: those that run, then the others in their order."""
        rows = self._database.rows(
            _SELECT
            + """WHERE owner = :owner AND status IN ('running', 'queued', 'paused')
            ORDER BY status != 'running', place""",
            {"owner": owner},
        )
        return [read_job(row, self._home) for row in rows]

    def move(self, job_id: str, direction: Direction, owner: str) -> Job:
        """Moves a waiting job among the owner's own. Raises: InvalidRequest if it does not wait."""
        with self._database.transaction() as connection:
            if not moved(connection, self._waits(job_id, owner).id, direction, owner):
                self._waits(job_id, owner)
        return self.get(job_id, owner)

    def set_priority(self, job_id: str, priority: int, owner: str) -> Job:
        """Raises: InvalidRequest if the job does not wait."""
        with self._database.transaction() as connection:
            values = {"id": self._waits(job_id, owner).id, "priority": priority}
            connection.execute("UPDATE jobs SET priority = :priority WHERE id = :id", values)
            arrange(connection, owner)
        return self.get(job_id, owner)

    def _waits(self, job_id: str, owner: str) -> Job:
        job = self.get(job_id, owner)
        if job.status not in ("queued", "paused"):
            raise InvalidRequest(
                f"The job is {job.status}; only a job that waits has a place in the queue.",
                "Choose a job that waits.",
                field="job_id",
            )
        return job

    def pause(self, job_id: str, owner: str) -> Job:
        """A queued job waits from now on, a running one from its next chunk border on. Others stay as they are."""
        self.get(job_id, owner)
        self._database.execute(
            """UPDATE jobs SET pause_requested = :now,
                status = CASE status WHEN 'queued' THEN 'paused' ELSE status END
            WHERE id = :id AND owner = :owner AND status IN ('queued', 'running') AND pause_requested IS NULL""",
            {"id": job_id, "owner": owner, "now": time.time()},
        )
        return self.get(job_id, owner)

    def resume(self, job_id: str, owner: str) -> Job:
        """A paused job has its turn again, in its old place. Others stay as they are."""
        self.get(job_id, owner)
        self._database.execute(
            """UPDATE jobs SET pause_requested = NULL,
                attempt = attempt + (status = 'paused' AND started IS NOT NULL),
                status = CASE status WHEN 'paused' THEN 'queued' ELSE status END
            WHERE id = :id AND owner = :owner AND status IN ('paused', 'running') AND pause_requested IS NOT NULL""",
            {"id": job_id, "owner": owner},
        )
        return self.get(job_id, owner)

    def cancel(self, job_id: str, owner: str) -> Job:
        """A waiting job ends at once, a running one at its next step; nothing happens to one that is over."""
        self.get(job_id, owner)
        self._database.execute(
            """UPDATE jobs SET cancel_requested = :now,
                finished = CASE status WHEN 'running' THEN finished ELSE :now END,
                status = CASE status WHEN 'running' THEN status ELSE 'cancelled' END
            WHERE id = :id AND owner = :owner AND status IN ('queued', 'paused', 'running')
                AND cancel_requested IS NULL""",
            {"id": job_id, "owner": owner, "now": time.time()},
        )
        return self.get(job_id, owner)

    def retry(self, job_id: str, owner: str) -> Job:
        """Puts a job that did not come to its end behind the others of its priority again, with the same folder.

        Raises: InvalidRequest if it is queued, running, done or an imported file.
        """
        if self.get(job_id, owner).task == IMPORTED:
            raise InvalidRequest("An imported file is not rendered.", "Import it again.", field="job_id")
        with self._database.transaction() as connection:
            touched = connection.execute(
                f"""UPDATE jobs SET status = 'queued', place = {_NEXT_PLACE}, attempt = attempt + 1, trashed = NULL,
                    worker = NULL, cancel_requested = NULL, pause_requested = NULL, crashes = 0,
                    started = NULL, finished = NULL, error = NULL,
                    phase = '', step = 0, total = 0, message = '', seconds_left = NULL, reported = NULL
                WHERE id = :id AND owner = :owner
                    AND status IN ({", ".join(f"'{status}'" for status in RETRYABLE)})""",
                {"id": job_id, "owner": owner},
            ).rowcount
            arrange(connection, owner)
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

    def set_favourite(self, job_id: str, owner: str, favourite: bool) -> Job:
        self.get(job_id, owner)
        self._database.execute(
            "UPDATE jobs SET favourite = :favourite WHERE id = :id AND owner = :owner",
            {"id": job_id, "owner": owner, "favourite": time.time() if favourite else None},
        )
        return self.get(job_id, owner)

    def finished_runs(self, owner: str, task: str, limit: int = 50) -> list[Run]:
        """What the latest jobs took that were rendered in one go, the latest first."""
        rows = self._database.rows(
            """SELECT fields, inputs, phase_seconds, peak_memory_bytes, disk_bytes FROM jobs
            WHERE owner = :owner AND task = :task AND status = 'done' AND phase_seconds IS NOT NULL
            ORDER BY finished DESC LIMIT :limit""",
            {"owner": owner, "task": task, "limit": limit},
        )
        return [
            Run(
                json.loads(row["fields"]), json.loads(row["inputs"]), json.loads(row["phase_seconds"]),
                row["peak_memory_bytes"], row["disk_bytes"],
            )
            for row in rows
        ]  # fmt: skip

    def events(self, job_id: str, owner: str) -> list[Event]:
        """What happened to the job, the oldest first."""
        self.get(job_id, owner)
        rows = self._database.rows("SELECT * FROM events WHERE job_id = :id ORDER BY id", {"id": job_id})
        return [Event(iso_time(row["at"]) or "", row["kind"], row["detail"]) for row in rows]

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


def _as_columns(data: dict[str, Any]) -> dict[str, Any]:
    texts = {name: json.dumps(data[name]) for name in ("fields", "inputs")}
    return {name: data[name] for name in ("id", "owner", "task", "created")} | texts
