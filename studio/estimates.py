"""The line above the Render button: what a render will take on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from engines.byte_sizes import spoken_bytes
from engines.errors import UserError
from studio.jobs.job import Estimate
from studio.jobs.queue import JobQueue
from studio.stage_html import about, sentences


def estimate_line(
    queue: JobQueue, task: str, requests: Sequence[Mapping[str, Any]], owner: str, length: str = ""
) -> str:
    """Time, memory and disk of these jobs together; "" while one of them cannot be rendered.

    Args:
        length: What comes out, said before the time.
    """
    try:
        estimates = [queue.estimate(task, dict(fields), owner) for fields in requests]
    except UserError:
        return ""
    if not estimates:
        return ""
    said = [length] if length else []
    known = [estimate.seconds for estimate in estimates if estimate.seconds is not None]
    if len(known) < len(estimates):
        said.append("the first render will tell how long it takes")
    else:
        said += [f"{about(sum(known))} to render", *_room(estimates)]
    line = " · ".join(said)
    warnings = sentences(list(dict.fromkeys(text for one in estimates for text in one.warnings)), "job-warnings")
    return f'<p class="estimate">{escape(line[:1].upper() + line[1:])}</p>{warnings}'


def _room(estimates: Sequence[Estimate]) -> list[str]:
    """Jobs run one after another, so the largest one says how much memory; their files stay, so these add up."""
    memory = [one.memory_bytes for one in estimates if one.memory_bytes is not None]
    disk = [one.disk_bytes for one in estimates if one.disk_bytes is not None]
    said = [f"{spoken_bytes(round(max(memory)))} of memory"] if memory else []
    return [*said, f"{spoken_bytes(round(max(1e6, sum(disk))))} on the disk"] if disk else said
