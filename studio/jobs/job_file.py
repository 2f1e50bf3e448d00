"""The request in the job's own folder, job.json: from these a lost library is filled again."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

NAME = "job.json"
JOB_ID = re.compile("[0-9a-f]{32}")
# What a job cannot be stored without, and its type in JSON.
_PARTS = {"id": str, "owner": str, "task": str, "created": float, "fields": dict, "inputs": dict}


def write_job_file(folder: Path, data: dict[str, Any]) -> None:
    """On return it is on the disk.

    Args:
        data: id, owner, task, created (seconds since 1970), fields and inputs, as the library stores them.
    """
    with (folder / NAME).open("w", encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())


def read_job_file(folder: Path) -> dict[str, Any] | None:
    """What the job's folder says of it; None if it says nothing, or nothing that can be read."""
    try:
        data = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_its_own = _is_job(data) and data["id"] == folder.name and JOB_ID.fullmatch(data["id"])
    return data if is_its_own else None


def _is_job(data: object) -> bool:
    return isinstance(data, dict) and all(isinstance(data.get(name), kind) for name, kind in _PARTS.items())
