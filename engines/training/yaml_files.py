"""YAML that people write, checked against a model: the wrong line is named, with what is allowed there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from engines.errors import InvalidRequest


class Part(BaseModel):
    """A part of a configuration: no unknown fields, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_checked(path: Path, model: type[Part], example: str) -> dict[str, Any]:
    """The file's content, which the model accepts.

    Args:
        example: A file that shows how it is done, for messages.

    Raises: InvalidRequest naming the file and the field ("phases.1.steps"), what is allowed and what to do.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InvalidRequest(
            f"There is no configuration {path}.", "Give an existing file with --config.", "config"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"{path} is not readable YAML: {error}.", "Mend the line that it names.", "config"
        ) from error
    if not isinstance(content, dict):
        raise InvalidRequest(f"{path} holds no fields.", f"Write “name: value” lines, as {example} has.", "config")
    try:
        model.model_validate(content)
    except ValidationError as error:
        raise _readable(error, path, example) from error
    return content


def _readable(error: ValidationError, path: Path, example: str) -> InvalidRequest:
    """The first mistake as a sentence; how many more there are, too."""
    first, more = error.errors()[0], error.error_count() - 1
    field = ".".join(str(part) for part in first["loc"] if part != "[key]") or None
    if first["type"] == "extra_forbidden":
        message, fix = f"{path}: there is no field {field}.", "Remove the line, or mend its spelling."
    elif first["type"] == "missing":
        message, fix = f"{path}: {field} is missing.", f"Add {field}; {example} shows it."
    else:
        said = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        place = f"{field}: " if field else ""
        message, fix = f"{path}: {place}{said}.", f"Change {field or 'these lines'}."
    return InvalidRequest(message, fix + (f" There are {more} more mistakes." if more else ""), field)
