"""Which jobs are trials of a longer request. Kept with the forms, so that a reload knows it too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.jobs.job import Job
from studio.jobs.queue import JobQueue

TRIAL_SECONDS = 3.0
REMEMBERED = 50


class Trials:
    """Remembers the full request of each trial.

    Args:
        queue: Keeps them.
        task: Whose trials.
    """

    def __init__(self, queue: JobQueue, task: str) -> None:
        self.queue = queue
        self.key = f"{task}-trials"

    def remember(self, job: Job, full: Mapping[str, Any]) -> None:
        """Notes what this job is a trial of; of older trials the latest REMEMBERED stay."""
        known = list((self.queue.load_form(job.owner, self.key) or {}).items())[-(REMEMBERED - 1) :]
        self.queue.save_form(job.owner, self.key, {**dict(known), job.id: dict(full)})

    def full_fields(self, job: Job) -> dict[str, Any] | None:
        """The request that the job is a trial of; None if it is none."""
        found: dict[str, Any] | None = (self.queue.load_form(job.owner, self.key) or {}).get(job.id)
        return found
