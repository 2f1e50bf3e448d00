"""Request, Result and Engine: what all seven tasks have in common. No torch here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from engines.context import RunContext
from engines.errors import InvalidRequest


class Request(BaseModel):
    """Plain data that says everything about one job.

    The fields' descriptions and constraints are the single source of the form, the API and the docs.
    `json_schema_extra` of a field may hold: "layer" ("main", "look", "quality", "advanced"), "widget", "choices_from".
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    task: ClassVar[str] = ""


class OutputFile(BaseModel):
    """One file of a result.

    Attributes:
        path: Where it lies (inside the job's work folder).
        kind: "video" for what was asked for; "contact_sheet", "thumbnail", "metadata" beside it; of a finished clip
            also "unfinished", as the model made it, and "frames", the same without loss as pictures in a zip file.
        seed: The seed that made it, if one did.
    """

    path: Path
    kind: Literal["video", "image", "contact_sheet", "thumbnail", "metadata", "unfinished", "frames"]
    seed: int | None = None


class Result(BaseModel):
    """Files and what was measured on the way.

    Attributes:
        files: The first of kind "video" is the main one.
        measurements: Flat name → number: seconds, seconds_per_step, evaluations, peak_memory_bytes, …
        warnings: Sentences for the person about what was rounded, replaced or not understood.
    """

    files: list[OutputFile]
    measurements: dict[str, float] = {}
    warnings: list[str] = []


class Engine(Protocol):
    """A task engine. Construction is cheap; weights are loaded on the first run."""

    def check(self, request: Any) -> list[str]:
        """Looks at the request without rendering.

        Returns: warnings. Raises: UserError if the request cannot be rendered at all.
        """

    def run(self, request: Any, context: RunContext) -> Result:
        """Renders. Raises UserError or Cancelled."""


# Tasks by name → the package that holds request.py (name REQUEST) and engine.py (name ENGINE).
# Modules are named, not imported: a request must not pull in torch.
TASKS: dict[str, str] = {
    "text_to_video": "engines.composition.finishing",
    "image_animation": "engines.composition.animation",
    "super_resolution": "engines.composition.upscaling",
    "interpolation": "engines.interpolation",
    "video_editing": "engines.composition.editing",
    "storyboard": "engines.composition.storyboard",
}

# Fields that came later → what a file that was written without them stands for.
WITHOUT: dict[str, dict[str, Any]] = {
    **{task: {"finish": False} for task in ("text_to_video", "image_animation", "storyboard")},
    "video_editing": {"hold": 0.0, "enlarge": False},
}

RequestType = TypeVar("RequestType", bound=Request)


def request_class(task: str) -> type[Request]:
    """The task's Request class. Raises InvalidRequest for an unknown task."""
    if task not in TASKS:
        raise InvalidRequest(f"There is no task “{task}”.", f"Choose one of: {', '.join(sorted(TASKS))}.", field="task")
    found: type[Request] = importlib.import_module(f"{TASKS[task]}.request").REQUEST
    return found


def make_engine(task: str) -> Engine:
    """The task's engine, imported now (this is where torch comes in)."""
    request_class(task)
    engine: Engine = importlib.import_module(f"{TASKS[task]}.engine").ENGINE()
    return engine


def parse_request(cls: type[RequestType], data: dict[str, Any]) -> RequestType:
    """Makes a request from plain data.

    Raises: InvalidRequest that names the first field that is wrong, what is allowed and what to do.
    """
    try:
        return cls.model_validate(data)
    except ValidationError as error:
        raise _as_invalid_request(cls, error) from None


def recorded_fields(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the request in a file's record, {"task": …, fields …}, as they stand for the file today."""
    fields = {name: value for name, value in record.items() if name != "task"}
    return {**WITHOUT.get(str(record.get("task")), {}), **fields}


def _as_invalid_request(cls: type[Request], error: ValidationError) -> InvalidRequest:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else None
    given = first.get("input")
    if len(first["loc"]) > 1 and isinstance(first["loc"][1], int):
        return _as_wrong_entry(first["loc"], first["msg"])
    if first["type"] == "extra_forbidden":
        return InvalidRequest(
            f"There is no field “{name}”.", f"The fields are: {', '.join(cls.model_fields)}.", field=name
        )
    if first["type"] == "missing":
        return InvalidRequest(f"The field “{name}” is missing.", f"Give a value for {name}.", field=name)
    reason = first["msg"].removeprefix("Value error, ")
    shown = repr(given) if len(repr(given)) <= 60 else repr(given)[:57] + "…"
    return InvalidRequest(
        f"{name} = {shown} is not allowed: {reason[:1].lower() + reason[1:]}.",
        f"Choose {name} {allowed_range(cls, name)}." if name else "Correct the request.",
        field=name,
    )


def _as_wrong_entry(place: tuple[int | str, ...], said: str) -> InvalidRequest:
    """Something is wrong inside one entry of a list, such as ("scenes", 1, "seconds")."""
    inside = "".join(f", {part}" for part in place[2:])
    reason = said.removeprefix("Value error, ")
    return InvalidRequest(
        f"{place[0]}, entry {int(place[1]) + 1}{inside}: {reason[:1].lower() + reason[1:]}.",
        "Correct this entry.",
        field=str(place[0]),
    )


def allowed_range(cls: type[Request], name: str) -> str:
    """The constraint of a field in words, from the schema: "between 9 and 257, in steps of 8"."""
    schema = cls.model_json_schema()["properties"].get(name, {})
    if "anyOf" in schema:
        schema = {**schema, **schema["anyOf"][0]}
    if "enum" in schema:
        return "from: " + ", ".join(str(choice) for choice in schema["enum"])
    words = []
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        words.append(f"between {low:g} and {high:g}")
    elif low is not None:
        words.append(f"of at least {low:g}")
    if "multipleOf" in schema:
        words.append(f"in steps of {schema['multipleOf']:g}")
    if "maxLength" in schema:
        words.append(f"with {schema.get('minLength', 0)} to {schema['maxLength']} characters")
    return ", ".join(words) or "as its description says: " + str(schema.get("description", name))
