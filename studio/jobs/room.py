"""Whether what a request needs fits into this machine."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from engines.byte_sizes import spoken_bytes
from studio.jobs.job import Estimate
from studio.jobs.quota import DiskUse


def with_warnings(estimate: Estimate, home: Path, use: DiskUse | None = None) -> Estimate:
    """The estimate, with a sentence for each thing that this machine does not have enough of.

    Args:
        use: What the owner uses of the disk, if there is a limit.
    """
    said = []
    memory, free = int(psutil.virtual_memory().total), shutil.disk_usage(home).free
    if estimate.memory_bytes is not None and estimate.memory_bytes > memory:
        said.append(
            f"This will need about {spoken_bytes(estimate.memory_bytes)} of memory; this computer has "
            f"{spoken_bytes(memory)}. Choose a smaller size."
        )
    if estimate.disk_bytes is not None and estimate.disk_bytes > free:
        said.append(
            f"This will need about {spoken_bytes(estimate.disk_bytes)} on the disk, which has "
            f"{spoken_bytes(free)} left. Free some space first."
        )
    if use is not None and use.allowed is not None and use.used + (estimate.disk_bytes or 0) >= use.allowed:
        said.append(
            f"Your files use {spoken_bytes(use.used)} of the {spoken_bytes(use.allowed)} that you may use: this does "
            "not fit. Make room in the Gallery, under “Disk”."
        )
    return replace(estimate, warnings=tuple(said))
