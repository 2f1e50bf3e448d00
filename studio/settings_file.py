"""The settings inside a file that Framewright wrote, as values of a form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engines.errors import InvalidRequest
from engines.media.metadata import read_request
from engines.task import Request, parse_request, recorded_fields


def settings_of(path: Path, request_class: type[Request], room: str) -> dict[str, Any]:
    """The request that made the file.

    Args:
        room: The tab's name, for the message.

    Raises: MediaError if the file holds none; InvalidRequest if it is another task's or damaged.
    """
    record = read_request(path)
    if record.get("task") != request_class.task:
        raise InvalidRequest(
            f"This file was made by the task “{record.get('task')}”, not by {room}.",
            f"Choose a file that {room} made.",
            field="file",
        )
    return parse_request(request_class, recorded_fields(record)).model_dump(mode="json")
