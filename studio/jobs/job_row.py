"""A row of the library as a Job."""

from __future__ import annotations

import json
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from engines.task import Result
from studio.home import job_folder
from studio.jobs.inputs import spelled_out
from studio.jobs.job import Job


def read_job(row: sqlite3.Row, home: Path) -> Job:
    """The job as it is now.

    Args:
        row: Of the table jobs, with its `position`.
        home: The studio's folder.
    """
    now = time.time()
    folder = job_folder(home, row["id"])
    running = row["status"] == "running"
    left = row["seconds_left"] if running else None
    inputs = json.loads(row["inputs"])
    return Job(
        id=row["id"], task=row["task"], owner=row["owner"],
        fields=spelled_out(json.loads(row["fields"]), inputs, folder),
        status=row["status"], position=row["position"],
        phase=row["phase"], step=row["step"], total=row["total"], message=row["message"],
        seconds_left=None if left is None else max(0.0, left - (now - row["reported"])),
        seconds_running=_seconds_running(row, now),
        preview=folder / "preview.webp" if row["preview_version"] else None,
        preview_version=row["preview_version"],
        result=_read_result(row["result"], folder),
        error=None if row["error"] is None else json.loads(row["error"]),
        warnings=json.loads(row["warnings"]),
        created=iso_time(row["created"]) or "", started=iso_time(row["started"]), finished=iso_time(row["finished"]),
        folder=folder, attempt=row["attempt"], trashed=row["trashed"] is not None,
        priority=row["priority"], pausing=running and row["pause_requested"] is not None, inputs=inputs,
        favourite=row["favourite"] is not None,
    )  # fmt: skip


def iso_time(seconds: float | None) -> str | None:
    """Seconds since 1970 as ISO 8601 with time zone."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _seconds_running(row: sqlite3.Row, now: float) -> float:
    """Of the latest run; 0 while queued."""
    if row["started"] is None or row["status"] == "queued":
        return 0.0
    # A paused job's clock stands still at the last sign of life.
    until = now if row["status"] == "running" else row["finished"] or row["reported"] or now
    return max(0.0, until - row["started"])


def _read_result(text: str | None, folder: Path) -> Result | None:
    if text is None:
        return None
    result = Result.model_validate_json(text)
    files = [file.model_copy(update={"path": folder / file.path}) for file in result.files]
    return result.model_copy(update={"files": files})
