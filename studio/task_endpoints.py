"""From a Request to its two endpoints: the same fields, with the same words, and uploads where it holds files."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_origin

import gradio as gr
from gradio.data_classes import FileData
from gradio.events import api

from engines.errors import UserError
from engines.task import Request, request_class
from studio.api import Endpoints, JobReply, error_reply
from studio.files import FileServer
from studio.import_endpoint import import_function, kept_file
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles, file_fields
from studio.owner import owner_of
from studio.plain_files import CHECKS

# Task → name of its endpoint.
ENDPOINTS = {
    "text_to_video": "text_to_video", "image_animation": "animate_image", "super_resolution": "upscale",
    "interpolation": "interpolate", "video_editing": "edit_video", "storyboard": "storyboard",
}  # fmt: skip
KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD


def add_endpoints(queue: JobQueue, files: FileServer, owned: OwnedFiles) -> None:
    """Adds all endpoints to the Blocks that is being built. Not inside tabs: Gradio would warn."""
    endpoints = Endpoints(queue, files)
    functions = [
        *(function for task in ENDPOINTS for function in task_functions(endpoints, owned, task)),
        endpoints.job_status, endpoints.job_result, endpoints.job_cancel, endpoints.jobs, endpoints.job_pause,
        endpoints.job_resume, endpoints.job_retry, endpoints.job_move, endpoints.job_priority, endpoints.job_events,
        import_function(endpoints, owned),
    ]  # fmt: skip
    for function in functions:
        api(function, api_name=function.__name__, concurrency_limit=None)


def task_functions(endpoints: Endpoints, owned: OwnedFiles, task: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """(render and wait, submit and return at once) for one task, with the Request's fields as parameters."""
    request_type, name = request_class(task), ENDPOINTS[task]
    fields = _parameters(request_type)
    names = [field.name for field in fields]
    client = inspect.Parameter("request", KEYWORD, annotation=gr.Request, default=None)
    key = inspect.Parameter("idempotency_key", KEYWORD, annotation=str, default="")

    def submitted(values: Sequence[Any], idempotency_key: str, owner: str) -> JobReply:
        try:
            given = with_files(task, dict(zip(names, values, strict=True)), owned, owner)
        except UserError as error:
            return error_reply(error)
        return endpoints.submit(task, given, idempotency_key, owner)

    async def render(*given: Any) -> JobReply:
        *values, request = given
        owner = owner_of(request)
        reply = await asyncio.to_thread(submitted, values, "", owner)
        return reply if reply["error"] else await endpoints.wait(reply["job_id"], owner)

    def submit(*given: Any) -> JobReply:
        *values, idempotency_key, request = given
        return submitted(values, idempotency_key, owner_of(request))

    summary = (request_type.__doc__ or task).strip()
    return (
        _documented(render, name, [*fields, client], f"{summary} Waits and returns the result.", request_type),
        _documented(
            submit, f"{name}_submit", [*fields, key, client],
            f"{summary} Returns a job id at once; ask job_status and job_result for it.", request_type,
        ),
    )  # fmt: skip


def with_files(task: str, given: Mapping[str, Any], owned: OwnedFiles, owner: str) -> dict[str, Any]:
    """The fields with the paths of files that the studio keeps. Raises: InvalidRequest for any other path."""
    fields = dict(given)
    for name, kind in file_fields(task).items():
        if not fields.get(name):
            # A file that is required and missing is said by the Request.
            fields.pop(name, None)
            continue
        given_files = fields[name] if isinstance(fields[name], list) else [fields[name]]
        paths = [kept_file(one, name, owned, owner) for one in given_files]
        if kind in CHECKS:
            for path in paths:
                CHECKS[kind](path, name)
        fields[name] = [str(path) for path in paths] if isinstance(fields[name], list) else str(paths[0])
    return fields


def _parameters(request_type: type[Request]) -> list[inspect.Parameter]:
    """A Request's fields as parameters, the required ones first."""
    files, made = file_fields(request_type.task), []
    for name, field in request_type.model_fields.items():
        default = inspect.Parameter.empty if field.is_required() else field.default
        several = get_origin(field.annotation) is tuple
        kind: Any = list[dict[str, Any]] if several else field.annotation  # plain data; the Request makes its own of it
        if name in files:
            kind = list[FileData] if several else FileData
            kind = kind if field.is_required() else kind | None
        made.append(inspect.Parameter(name, KEYWORD, default=default, annotation=kind))
    return sorted(made, key=lambda one: one.default is not inspect.Parameter.empty)


def _documented(
    function: Callable[..., Any],
    name: str,
    parameters: Sequence[inspect.Parameter],
    summary: str,
    request: type[Request],
) -> Callable[..., Any]:
    """Gives a function with *args the signature and the docstring that Gradio and MCP clients read."""
    helps = {field: info.description or "" for field, info in request.model_fields.items()}
    helps["idempotency_key"] = "The same key again returns the job of the first call instead of a new one."
    arguments = "\n".join(
        f"    {parameter.name}: {helps[parameter.name]}" for parameter in parameters if parameter.name in helps
    )
    function.__name__ = name
    function.__doc__ = f"{summary}\n\nArgs:\n{arguments}"
    function.__signature__ = inspect.Signature(list(parameters), return_annotation=JobReply)  # type: ignore[attr-defined]
    function.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": JobReply}
    return function
