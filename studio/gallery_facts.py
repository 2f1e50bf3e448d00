"""A finished render's request as a list that a person reads. Pure functions that escape what comes from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.task import request_class
from studio.form import label_of, layer_of
from studio.stage_html import facts_line, title_of

if TYPE_CHECKING:
    from studio.jobs.job import Job

CAPTION_CHARACTERS = 60


def caption_of(job: Job, takes: int = 1) -> str:
    """Below a thumbnail: the star, the prompt or the file's name, how many takes it has."""
    several = f" · {takes} takes" if takes > 1 else ""
    return ("★ " if job.favourite else "") + title_of(job)[:CAPTION_CHARACTERS] + several


def render_facts(job: Job, room: str) -> str:
    """Under the player: what was made, when, and the whole request.

    Args:
        room: Title of the task's tab.
    """
    finished = datetime.fromisoformat(job.finished or job.created).astimezone()
    said = f"{room} · {finished.day} {finished:%B %Y, %H:%M}"
    return f'{facts_line(job)}<p class="render-made">{escape(said)}</p>{request_list(job)}'


def request_list(job: Job) -> str:
    """The fields that everybody sets and those that were changed; the others folded."""
    schema: dict[str, dict[str, Any]] = request_class(job.task).model_json_schema()["properties"]
    shown: list[str] = []
    folded: list[str] = []
    for name, one in schema.items():
        value = job.fields.get(name)
        line = f"<div><dt>{escape(label_of(name))}</dt><dd>{escape(spoken(job, name, value, one))}</dd></div>"
        is_told = layer_of(one) == "main" or value != one.get("default")
        (shown if is_told else folded).append(line)
    rest = f"<details><summary>What was left as it is</summary><dl>{''.join(folded)}</dl></details>" if folded else ""
    listed = f"<h3>Settings</h3><dl>{''.join(shown)}</dl>{rest}"
    return f'<section class="request-list" aria-label="Settings">{listed}</section>'


def spoken(job: Job, name: str, value: Any, schema: Mapping[str, Any]) -> str:
    """One value in a person's words."""
    if value is None or value == "":
        return "none"
    if schema.get("input"):
        files = [str(file["name"]) for file in job.inputs.get(name, []) if "name" in file]
        return ", ".join(files) or Path(str(value)).name
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).replace("_", " ") if "enum" in schema else str(value)
