"""What is left out when a render was too large for the machine: first the other versions, then frames."""

from __future__ import annotations

from typing import Any

from engines.backend.catalogue import ModelCard
from studio.jobs.job import Job
from studio.prompt_advice import catalogue

TOO_LARGE = ("resource_error", "limit_exceeded")


def smaller_fields(job: Job) -> dict[str, Any] | None:
    """The job's request, smaller; None if it did not fail for its size or cannot be smaller."""
    if job.status != "failed" or not job.error or job.error["code"] not in TOO_LARGE:
        return None
    if job.fields.get("takes", 1) > 1:
        return job.fields | {"takes": 1}
    frames = job.fields.get("frames", 1)
    if frames > 1:
        return job.fields | {"frames": fewer_frames(frames, catalogue().get(str(job.fields.get("model"))))}
    return None


def fewer_frames(frames: int, card: ModelCard | None) -> int:
    """The next length that the model was trained for; without one, half of it."""
    shorter = [one for one in (card.trained_frames if card else ()) if one < frames]
    return max(shorter) if shorter else max(1, frames // 2)
