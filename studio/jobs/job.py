"""A job as the page and the API see it: a frozen picture of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from engines.task import Result

JobStatus = Literal["queued", "running", "paused", "done", "failed", "cancelled", "interrupted"]
UNFINISHED: tuple[JobStatus, ...] = ("queued", "running", "paused")
RETRYABLE: tuple[JobStatus, ...] = ("failed", "cancelled", "interrupted")
# In the place of a task's name: a file that a person brought into the gallery, see imports.py.
IMPORTED = "imported"
PRIORITIES = {"high": 1, "normal": 0, "low": -1}
LOG_CHARACTERS = 6000


@dataclass(frozen=True)
class Job:
    """One request on its way to a result.

    Attributes:
        id: 32 hexadecimal digits, random (128 bits).
        task: Name of the task, a key of engines.task.TASKS; IMPORTED for a file that was brought into the gallery.
        owner: Whose it is; "local" without login.
        fields: The whole request as plain data, defaults included; inputs are the job's own copies, absolute paths.
        status: "paused" waits for `resume` and keeps its place; "interrupted" is a job whose worker died too often in a
            row, or cannot be started.
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
        attempt: 1 for the first run, one more each time that it goes on: after a retry, a pause, a crash.
        trashed: Whether it lies in the trash; `restore` takes it out again.
        priority: 1 is high, 0 normal, −1 low: the order among the owner's own jobs.
        pausing: Whether it runs and will pause at the end of the chunk.
        inputs: Field → for each file its name, width, height, fps, seconds, sha256.
        favourite: Whether its owner starred it.
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
    priority: int = 0
    pausing: bool = False
    inputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    favourite: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen unless it is retried."""
        return self.status not in UNFINISHED

    @property
    def log(self) -> Path:
        """What the engine logged while it ran; there once the job has started."""
        return self.folder / "log.txt"

    def log_tail(self, characters: int = LOG_CHARACTERS) -> str:
        """The end of the log; "" if there is none."""
        if not self.log.is_file():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - characters))
            return file.read().decode("utf-8", errors="replace")

    def as_data(self) -> dict[str, Any]:
        """What clients may know of the job, as JSON holds it; its files are served by those who can."""
        return {
            "job_id": self.id, "task": self.task, "status": self.status, "position": self.position,
            "phase": self.phase, "step": self.step, "total": self.total, "message": self.message,
            "seconds_left": self.seconds_left, "seconds_running": self.seconds_running,
            "measurements": self.result.measurements if self.result else {}, "warnings": self.warnings,
            "error": self.error, "attempt": self.attempt, "pausing": self.pausing,
            "priority": next(name for name, number in PRIORITIES.items() if number == self.priority),
            "created": self.created, "started": self.started, "finished": self.finished,
        }  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something that happened to a job.

    Attributes:
        at: ISO 8601 with time zone.
        kind: "submitted", "started", "chunk", "queued" (again), "paused", "done", "failed", "cancelled", "interrupted".
        detail: A sentence, or "".
    """

    at: str
    kind: str
    detail: str


@dataclass(frozen=True)
class Estimate:
    """What a request will take on this machine.

    Attributes:
        seconds: None if no finished job tells.
        based_on: Number of finished jobs that it was learnt from.
        phases: Seconds by phase.
        memory_bytes: Peak of the worker process; None if no finished job tells.
        disk_bytes: Of the job's folder at its largest; None if no finished job tells.
        warnings: What will not fit, in sentences.
    """

    seconds: float | None
    based_on: int
    phases: dict[str, float] = field(default_factory=dict)
    memory_bytes: float | None = None
    disk_bytes: float | None = None
    warnings: tuple[str, ...] = ()


def prompt_of(fields: Mapping[str, Any]) -> str:
    """What a request says in words: its prompt, or those of its scenes; "" if it says nothing."""
    scenes = [str(scene.get("prompt", "")) for scene in fields.get("scenes") or []]
    return str(fields.get("prompt") or " · ".join(scenes))
