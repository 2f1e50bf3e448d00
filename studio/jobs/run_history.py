"""What a finished job teaches about later ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Inputs = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Run:
    """One job that was rendered in one go.

    Attributes:
        fields: Its request.
        inputs: Facts about its input files, see inputs.py.
        phase_seconds: Seconds by phase.
        memory_bytes: Peak of the worker's resident memory, None if it was not measured.
        disk_bytes: Of the job's folder at its largest, None if it was not measured.
    """

    fields: dict[str, Any]
    inputs: Inputs
    phase_seconds: dict[str, float]
    memory_bytes: int | None = None
    disk_bytes: int | None = None
