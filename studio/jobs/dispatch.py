"""What the worker and its supervisor do with jobs: take, report, finish, give up.

Not a person's queries, so they know workers instead of owners. Each write names the worker that holds the job and
touches nothing if the job is no longer its own: a worker that outlives its studio by a moment cannot spoil a retry.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.context import Progress
from engines.task import Result
from studio.jobs.database import Database
from studio.jobs.result_files import stored_result

ErrorData = dict[str, str | None]
# A job whose worker died so often in a row, with no further chunk finished in between, waits for a person.
MOST_CRASHES = 3


@dataclass(frozen=True)
class Assignment:
    """A job as its worker gets it. The fields are as stored; `inputs`, `preview_version` and `attempt`: see Job."""

    job_id: str
    owner: str
    task: str
    fields: dict[str, Any]
    inputs: dict[str, list[dict[str, Any]]]
    attempt: int
    preview_version: int


@dataclass(frozen=True)
class Needed:
    """What a finished job took, for the estimates of later ones; None for what its last run alone cannot tell.

    Attributes:
        phase_seconds: Seconds by phase.
        memory_bytes: Peak of the worker's resident memory.
        disk_bytes: Of the job's folder at its largest.
    """

    phase_seconds: dict[str, float] | None
    memory_bytes: int | None
    disk_bytes: int | None


class Dispatch:
    def __init__(self, database: Database) -> None:
        self._database = database

    def take_next(self, worker: str) -> Assignment | None:
        """Gives the first queued job to this worker; None if the queue is empty."""
        with self._database.transaction() as connection:
            row = connection.execute(
                """UPDATE jobs SET status = 'running', worker = :worker, started = :now, reported = :now,
                    phase = '', step = 0, total = 0, message = '', seconds_left = NULL
                WHERE id = (SELECT id FROM jobs WHERE status = 'queued' ORDER BY place LIMIT 1)
                RETURNING id, owner, task, fields, inputs, attempt, preview_version""",
                {"worker": worker, "now": time.time()},
            ).fetchone()
        if row is None:
            return None
        return Assignment(
            row["id"], row["owner"], row["task"], json.loads(row["fields"]), json.loads(row["inputs"]), row["attempt"],
            row["preview_version"],
        )  # fmt: skip

    def report(
        self, job_id: str, worker: str, progress: Progress, seconds_left: float | None, preview_version: int
    ) -> bool:
        """Stores one step. Returns whether the job is still this worker's."""
        return bool(
            self._database.execute(
                """UPDATE jobs SET phase = :phase, step = :step, total = :total, message = :message,
                    seconds_left = :left, reported = :now, preview_version = :preview
                WHERE id = :id AND worker = :worker AND status = 'running'""",
                {"phase": progress.phase, "step": progress.step, "total": progress.total, "message": progress.message,
                 "left": seconds_left, "now": time.time(), "preview": preview_version, "id": job_id, "worker": worker},
            )
        )  # fmt: skip

    def chunk_finished(self, job_id: str, worker: str) -> bool:
        """Notes that a chunk is whole on the disk. Returns whether the job shall pause now."""
        held = {"id": job_id, "worker": worker}
        is_held = "id = :id AND worker = :worker AND status = 'running'"
        with self._database.transaction() as connection:
            # A chunk that an earlier run left is passed again on the way, and is no news.
            further = connection.execute(
                f"UPDATE jobs SET crashes = 0, saved_step = step WHERE {is_held} AND step > saved_step", held
            ).rowcount
            if further:
                connection.execute(
                    """INSERT INTO events (job_id, at, kind, detail)
                    SELECT id, :now, 'chunk', message FROM jobs WHERE id = :id""",
                    {"id": job_id, "now": time.time()},
                )
            query = f"SELECT pause_requested IS NOT NULL FROM jobs WHERE {is_held}"
            row = connection.execute(query, held).fetchone()
        return row is not None and bool(row[0])

    def warn(self, job_id: str, worker: str, warnings: list[str]) -> None:
        self._database.execute(
            "UPDATE jobs SET warnings = :warnings WHERE id = :id AND worker = :worker AND status = 'running'",
            {"warnings": json.dumps(warnings), "id": job_id, "worker": worker},
        )

    def may_go_on(self, job_id: str, worker: str) -> bool:
        """False once the job was cancelled or is no longer this worker's. One look-up by key, about 10 µs."""
        query = "SELECT cancel_requested, worker, status FROM jobs WHERE id = :id"
        row = self._database.row(query, {"id": job_id})
        return (
            row is not None
            and row["cancel_requested"] is None
            and row["worker"] == worker
            and row["status"] == "running"
        )

    def finish(self, job_id: str, worker: str, folder: Path, result: Result, needed: Needed) -> None:
        """The job is done.

        Raises: ValueError if a file of the result lies outside the job's folder, FileNotFoundError if one is missing.
        """
        stored, facts = stored_result(result, folder)
        self._database.execute(
            """UPDATE jobs SET status = 'done', finished = :now, result = :result, phase_seconds = :seconds,
                peak_memory_bytes = :memory, disk_bytes = :disk, crashes = 0, pause_requested = NULL, message = '',
                file_facts = :facts
            WHERE id = :id AND worker = :worker AND status = 'running'""",
            {"now": time.time(), "result": stored, "facts": facts,
             "seconds": None if needed.phase_seconds is None else json.dumps(needed.phase_seconds),
             "memory": needed.memory_bytes, "disk": needed.disk_bytes, "id": job_id, "worker": worker},
        )  # fmt: skip

    def paused(self, job_id: str, worker: str) -> None:
        """The job stopped at a chunk border; if somebody let it go on or cancelled it meanwhile, that holds."""
        self._database.execute(
            """UPDATE jobs SET seconds_left = NULL, reported = :now,
                attempt = attempt + (cancel_requested IS NULL AND pause_requested IS NULL),
                finished = CASE WHEN cancel_requested IS NULL THEN NULL ELSE :now END,
                status = CASE WHEN cancel_requested IS NOT NULL THEN 'cancelled'
                    WHEN pause_requested IS NULL THEN 'queued' ELSE 'paused' END
            WHERE id = :id AND worker = :worker AND status = 'running'""",
            {"now": time.time(), "id": job_id, "worker": worker},
        )

    def cancelled(self, job_id: str, worker: str) -> None:
        self._end(job_id, worker, "cancelled", None)

    def failed(self, job_id: str, worker: str, error: ErrorData) -> None:
        self._end(job_id, worker, "failed", error)

    def _end(self, job_id: str, worker: str, status: str, error: ErrorData | None) -> None:
        self._database.execute(
            """UPDATE jobs SET status = :status, finished = :now, error = :error, message = :message
            WHERE id = :id AND worker = :worker AND status = 'running'""",
            {"status": status, "now": time.time(), "error": None if error is None else json.dumps(error),
             "message": error["message"] if error else "", "id": job_id, "worker": worker},
        )  # fmt: skip

    def release_running(self, error: ErrorData, is_crash: bool) -> int:
        """No worker lives: what was running goes back to its place and will go on at its first missing chunk.

        It is cancelled or paused instead if that was asked for, and interrupted after MOST_CRASHES crashes in a row.

        Args:
            error: What happened. Kept with an interrupted job; its message is in every job's events.
            is_crash: Whether the job may have been the cause.

        Returns: how many jobs were running.
        """
        return self._database.execute(
            """UPDATE jobs SET seconds_left = NULL, worker = NULL, crashes = crashes + :crash,
                message = CASE WHEN cancel_requested IS NULL THEN :message ELSE '' END,
                attempt = attempt + (cancel_requested IS NULL AND pause_requested IS NULL AND crashes + :crash < :most),
                finished = CASE WHEN cancel_requested IS NULL AND crashes + :crash < :most THEN NULL ELSE :now END,
                error = CASE WHEN cancel_requested IS NULL AND crashes + :crash >= :most THEN :error END,
                status = CASE WHEN cancel_requested IS NOT NULL THEN 'cancelled'
                    WHEN crashes + :crash >= :most THEN 'interrupted'
                    WHEN pause_requested IS NOT NULL THEN 'paused' ELSE 'queued' END
            WHERE status = 'running'""",
            {"now": time.time(), "error": json.dumps(error), "message": error["message"], "crash": int(is_crash),
             "most": MOST_CRASHES},
        )  # fmt: skip

    def interrupt_queued(self, error: ErrorData) -> int:
        """No worker can be started: what waits is interrupted, so that it can be seen and retried."""
        return self._database.execute(
            """UPDATE jobs SET status = 'interrupted', finished = :now, error = :error, message = :message
            WHERE status = 'queued'""",
            {"now": time.time(), "error": json.dumps(error), "message": error["message"]},
        )

    def has_queued(self) -> bool:
        return self._database.row("SELECT 1 FROM jobs WHERE status = 'queued' LIMIT 1", {}) is not None

    def has_worked(self, worker: str) -> bool:
        """Whether this worker ever took a job."""
        return self._database.row("SELECT 1 FROM jobs WHERE worker = :worker LIMIT 1", {"worker": worker}) is not None

    def has_cancel_older_than(self, seconds: float) -> bool:
        """Whether a running job was cancelled so long ago and has not come to a step since."""
        query = "SELECT 1 FROM jobs WHERE status = 'running' AND cancel_requested < :before LIMIT 1"
        return self._database.row(query, {"before": time.time() - seconds}) is not None
