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

ErrorData = dict[str, str | None]


@dataclass(frozen=True)
class Assignment:
    """A job as its worker gets it. `preview_version` and `attempt`: see Job."""

    job_id: str
    owner: str
    task: str
    fields: dict[str, Any]
    attempt: int
    preview_version: int


class Dispatch:
    def __init__(self, database: Database) -> None:
        self._database = database

    def take_next(self, worker: str) -> Assignment | None:
        """Gives the first queued job to this worker; None if the queue is empty."""
        with self._database.transaction() as connection:
            row = connection.execute(
                """UPDATE jobs SET status = 'running', worker = :worker, started = :now, reported = :now
                WHERE id = (SELECT id FROM jobs WHERE status = 'queued' ORDER BY place LIMIT 1)
                RETURNING id, owner, task, fields, attempt, preview_version""",
                {"worker": worker, "now": time.time()},
            ).fetchone()
        if row is None:
            return None
        return Assignment(
            row["id"], row["owner"], row["task"], json.loads(row["fields"]), row["attempt"], row["preview_version"]
        )

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

    def finish(
        self, job_id: str, worker: str, folder: Path, result: Result, phase_seconds: dict[str, float] | None
    ) -> None:
        """The job is done.

        Raises: ValueError if a file of the result lies outside the job's folder, FileNotFoundError if one is missing.
        """
        for file in result.files:
            file.path.stat()
        # Relative paths: the studio's folder may be moved.
        files = [file.model_copy(update={"path": file.path.relative_to(folder)}) for file in result.files]
        self._database.execute(
            """UPDATE jobs SET status = 'done', finished = :now, result = :result, phase_seconds = :seconds
            WHERE id = :id AND worker = :worker AND status = 'running'""",
            {"now": time.time(), "result": result.model_copy(update={"files": files}).model_dump_json(),
             "seconds": None if phase_seconds is None else json.dumps(phase_seconds), "id": job_id, "worker": worker},
        )  # fmt: skip

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

    def interrupt_running(self, error: ErrorData) -> int:
        """No worker lives: what was running is interrupted, or cancelled if that was asked for. Returns how many."""
        return self._database.execute(
            """UPDATE jobs SET finished = :now, seconds_left = NULL,
                status = CASE WHEN cancel_requested IS NULL THEN 'interrupted' ELSE 'cancelled' END,
                error = CASE WHEN cancel_requested IS NULL THEN :error END,
                message = CASE WHEN cancel_requested IS NULL THEN :message ELSE '' END
            WHERE status = 'running'""",
            {"now": time.time(), "error": json.dumps(error), "message": error["message"]},
        )

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
