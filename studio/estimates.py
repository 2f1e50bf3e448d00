"""The line above the Render button: what a render will take on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from engines.errors import UserError
from studio.jobs.queue import JobQueue
from studio.stage_html import about


def estimate_line(
    queue: JobQueue, task: str, requests: Sequence[Mapping[str, Any]], owner: str, length: str = ""
) -> str:
    """Time of these jobs together; "" while one of them cannot be rendered.

    Args:
        length: What comes out, said before the time.
    """
    try:
        estimates = [queue.estimate(task, dict(fields), owner) for fields in requests]
    except UserError:
        return ""
    if not estimates:
        return ""
    parts = [length] if length else []
    known = [estimate.seconds for estimate in estimates if estimate.seconds is not None]
    if len(known) < len(estimates):
        parts.append("the first render will tell how long it takes")
    else:
        parts.append(f"{about(sum(known))} to render")
    return f'<p class="estimate">{escape(" · ".join(parts))}</p>'
