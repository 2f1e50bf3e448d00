"""The request that a file in the gallery was made from: its job's own, or the one that an imported file carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

from engines.errors import InvalidRequest
from engines.task import parse_request, recorded_fields, request_class
from studio.jobs.job import IMPORTED
from studio.owned_files import OwnedFiles, file_fields

if TYPE_CHECKING:
    from studio.jobs.job import Job


@dataclass(frozen=True)
class Settings:
    """A request, and what is known of its input files.

    Attributes:
        task: Name of the task.
        fields: The whole request as plain data.
        inputs: Field → facts of each of its files, see Job.inputs; {} where a file says nothing of them.
    """

    task: str
    fields: Mapping[str, Any]
    inputs: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)


def settings_behind(job: Job) -> Settings | None:
    """None for an imported file that carries no settings, or none that this studio understands."""
    if job.task != IMPORTED:
        return Settings(job.task, job.fields, job.inputs)
    record = job.fields.get("record") or {}
    task = str(record.get("task", ""))
    try:
        # What is in a file may be anything: only a request that this studio would take is shown as one.
        return Settings(task, parse_request(request_class(task), recorded_fields(record)).model_dump(mode="json"))
    except InvalidRequest:
        return None


def reusable(settings: Settings, owned: OwnedFiles, owner: str) -> tuple[dict[str, Any], dict[str, str]]:
    """(the request without files that are not this owner's, field → name of each that was left out).

    A file from elsewhere names its inputs as they lay on the computer that it was rendered on.
    """
    fields, missing = dict(settings.fields), {}
    for name in file_fields(settings.task):
        value = fields.get(name)
        paths = value if isinstance(value, list) else [value] if value else []
        try:
            for path in paths:
                owned.check(Path(str(path)), owner, name)
        except InvalidRequest:
            fields.pop(name)
            missing[name] = ", ".join(file_name(path) for path in paths)
    return fields, missing


def file_name(path: object) -> str:
    """The last part of a path of any operating system."""
    return PureWindowsPath(str(path)).name
