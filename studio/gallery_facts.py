"""What a person reads below the player: what it is, and the request that it was made from. Pure functions that escape
what comes from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from engines.errors import UserError
from engines.task import request_class
from studio.form import label_of, layer_of
from studio.gallery_settings import Settings, file_name, settings_behind
from studio.jobs.job import IMPORTED
from studio.source_facts import facts_of
from studio.source_preview import info_of
from studio.stage import videos_of
from studio.stage_html import facts_line, sentences, title_of

if TYPE_CHECKING:
    from studio.jobs.job import Job

CAPTION_CHARACTERS = 60
FROM_ELSEWHERE = "It comes from elsewhere: it carries no settings of Framewright."
NOT_UNDERSTOOD = "It carries settings of Framewright that this studio does not understand."


def caption_of(job: Job, takes: int = 1) -> str:
    """Below a thumbnail: the star, the prompt or the file's name, how many takes it has."""
    several = f" · {takes} takes" if takes > 1 else ""
    return ("★ " if job.favourite else "") + title_of(job)[:CAPTION_CHARACTERS] + several


def render_facts(job: Job, rooms: Mapping[str, str]) -> str:
    """Under the player: what it is, when it was made or brought, and the whole request behind it.

    Args:
        rooms: Task → title of its tab.
    """
    settings = settings_behind(job)
    finished = datetime.fromisoformat(job.finished or job.created).astimezone()
    when = f"{finished.day} {finished:%B %Y, %H:%M}"
    if job.task != IMPORTED:
        made = f'<p class="render-made">{escape(rooms.get(job.task, job.task))} · {escape(when)}</p>'
        return facts_line(job) + made + request_list(Settings(job.task, job.fields, job.inputs))
    if settings is None:
        origin = f'<p class="render-origin">{NOT_UNDERSTOOD if job.fields.get("record") else FROM_ELSEWHERE}</p>'
    else:
        origin = request_list(settings, f"Settings: made with {rooms.get(settings.task, settings.task)}")
    return f'{_file_facts(job)}<p class="render-made">Imported · {escape(when)}</p>{origin}'


def _file_facts(job: Job) -> str:
    """An imported file's name, and what is in it."""
    try:
        said = facts_of(info_of(videos_of(job)[0].path))
    except UserError as error:
        said = str(error)
    warnings = sentences(job.result.warnings if job.result else [], "job-warnings")
    return (
        f'<div class="facts"><p class="facts-prompt">{escape(title_of(job))}</p><p>{escape(said)}</p>{warnings}</div>'
    )


def request_list(settings: Settings, title: str = "Settings") -> str:
    """The fields that everybody sets and those that were changed; the others folded."""
    schema: dict[str, dict[str, Any]] = request_class(settings.task).model_json_schema()["properties"]
    shown: list[str] = []
    folded: list[str] = []
    for name, one in schema.items():
        value = settings.fields.get(name)
        line = f"<div><dt>{escape(label_of(name))}</dt><dd>{escape(spoken(settings, name, value, one))}</dd></div>"
        is_told = layer_of(one) == "main" or value != one.get("default")
        (shown if is_told else folded).append(line)
    rest = f"<details><summary>What was left as it is</summary><dl>{''.join(folded)}</dl></details>" if folded else ""
    listed = f"<h3>{escape(title)}</h3><dl>{''.join(shown)}</dl>{rest}"
    return f'<section class="request-list" aria-label="Settings">{listed}</section>'


def spoken(settings: Settings, name: str, value: Any, schema: Mapping[str, Any]) -> str:
    """One value in a person's words."""
    if value is None or value == "":
        return "none"
    if schema.get("input"):
        files = [str(file["name"]) for file in settings.inputs.get(name, []) if "name" in file]
        return ", ".join(files) or file_name(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).replace("_", " ") if "enum" in schema else str(value)
