"""A job as the page and the API see it: a frozen picture of one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from engines.task import Result

JobStatus = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
RETRYABLE: tuple[JobStatus, ...] = ("failed", "cancelled", "interrupted")


@dataclass(frozen=True)
class Job:
    """One request on its way to a result.

    Attributes:
        id: 32 hexadecimal digits, random (128 bits).
        task: Name of the task, a key of engines.task.TASKS.
        owner: Whose it is; "local" without login.
        fields: The whole request as plain data, defaults included.
        status: "interrupted" is a job whose worker or studio died or was closed; it can be retried.
        position: 1 for the next one in the queue; None unless queued.
        phase: What is going on now (engines.context.Progress.phase), "" before the first report.
        step: Finished steps of this phase, 0 … total.
        total: Steps of this phase.
        message: A sentence for the person, or "".
        seconds_left: Estimate from this job's measured steps and earlier jobs; None if it cannot be told.
        seconds_running: Since the worker took it (until it ended, if it ended); 0 while queued.
        preview: Animated WebP of the latest preview frames, None if there is none yet.
        preview_version: Grows by one with each new preview.
        result: Files and measurements, once done.
        error: code, field, message and fix, if failed or interrupted. Code "bug": the traceback is in `log`.
        warnings: What the engine said about the request, before and after rendering.
        created, started, finished: ISO 8601 with time zone, or None.
        folder: The job's own folder. A retry uses it again, so finished parts are kept.
        attempt: 1 for the first run, one more with each retry.
        trashed: Whether it lies in the trash; `restore` takes it out again.
    """

    id: str
    task: str
    owner: str
    fields: dict[str, Any]
    status: JobStatus
    position: int | None
    phase: str
    step: int
    total: int
    message: str
    seconds_left: float | None
    seconds_running: float
    preview: Path | None
    preview_version: int
    result: Result | None
    error: dict[str, str | None] | None
    warnings: list[str]
    created: str
    started: str | None
    finished: str | None
    folder: Path
    attempt: int
    trashed: bool

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen unless it is retried."""
        return self.status not in ("queued", "running")

    @property
    def log(self) -> Path:
        """What the engine logged while it ran; there once the job has started."""
        return self.folder / "log.txt"


@dataclass(frozen=True)
class Estimate:
    """How long a request will take.

    Attributes:
        seconds: None if no finished job tells.
        based_on: Number of finished jobs that it was learnt from.
        phases: Seconds by phase.
    """

    seconds: float | None
    based_on: int
    phases: dict[str, float] = field(default_factory=dict)
