"""What is left out when a render was too large for the machine.

Of a made video first the other versions, then frames; of footage first the enlargement, then the second half.
"""

from __future__ import annotations

from typing import Any

from engines.backend.catalogue import ModelCard
from studio.jobs.job import Job
from studio.prompt_advice import catalogue

SMALLEST_FACTOR = 1.5
SHORTEST_SECONDS = 1.0
TOO_LARGE = ("resource_error", "limit_exceeded")


def smaller_fields(job: Job) -> dict[str, Any] | None:
    """The job's request, smaller; None if it did not fail for its size or cannot be smaller."""
    if job.status != "failed" or not job.error or job.error["code"] not in TOO_LARGE:
        return None
    if "video" in job.fields:
        return _less_footage(job)
    if job.fields.get("takes", 1) > 1:
        return job.fields | {"takes": 1}
    frames = job.fields.get("frames", 1)
    if frames > 1:
        return job.fields | {"frames": fewer_frames(frames, catalogue().get(str(job.fields.get("model"))))}
    return None


def _less_footage(job: Job) -> dict[str, Any] | None:
    fields = job.fields
    if fields.get("width") or fields.get("height"):
        return fields | {"width": None, "height": None, "factor": SMALLEST_FACTOR}
    if fields.get("factor", 1.0) > SMALLEST_FACTOR:
        return fields | {"factor": max(SMALLEST_FACTOR, fields["factor"] // 0.5 / 4)}
    start, facts = fields.get("start") or 0.0, job.inputs.get("video", [])
    end = fields.get("end") or (facts[0]["seconds"] if facts else start)
    if end - start < SHORTEST_SECONDS or fields.get("second"):
        return None
    return fields | {"end": round(start + (end - start) / 2, 3)}


def fewer_frames(frames: int, card: ModelCard | None) -> int:
    """The next length that the model was trained for; without one, half of it."""
    shorter = [one for one in (card.trained_frames if card else ()) if one < frames]
    return max(shorter) if shorter else max(1, frames // 2)
