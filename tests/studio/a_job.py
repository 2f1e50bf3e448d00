"""A job in any state, for tests that draw or judge one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.jobs.job import Job


def job(folder: Path, **changes: Any) -> Job:
    fields: dict[str, Any] = {
        "id": "a" * 32, "task": "text_to_video", "owner": "local", "fields": {"prompt": "a fox", "seed": 3},
        "status": "queued", "position": 1, "phase": "", "step": 0, "total": 0, "message": "", "seconds_left": None,
        "seconds_running": 0.0, "preview": None, "preview_version": 0, "result": None, "error": None, "warnings": [],
        "created": "", "started": None, "finished": None, "folder": folder, "attempt": 1, "trashed": False,
    }  # fmt: skip
    return Job(**(fields | changes))
