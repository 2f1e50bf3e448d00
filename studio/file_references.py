"""Refuses addresses where a file is expected: Gradio would fetch them from inside our network before we are asked."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engines.errors import InvalidRequest, LimitExceeded, UserError

# A request is text and numbers; files are uploaded by themselves, as multipart, and are not looked at here.
LARGEST_BODY = 2 * 2**20
UPLOAD_PATH = "/gradio_api/upload"
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]+:|//)", re.IGNORECASE)


class RefuseRemoteFiles:
    """ASGI middleware: a JSON body whose file references hold an address is answered with 422 and never passed on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH") or _is_upload(scope):
            await self.app(scope, receive, send)
            return
        try:
            body = await _read(receive)
            _check(body)
        except UserError as error:
            status = 413 if isinstance(error, LimitExceeded) else 422
            await JSONResponse({"detail": error.as_data(), "error": str(error)}, status)(scope, receive, send)
            return
        given = False

        async def receive_again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, receive_again, send)


def is_address(text: str) -> bool:
    """Whether a file reference names something outside: http://…, ftp:…, //host/… A drive letter is no scheme."""
    return "://" in text or _SCHEME.match(text) is not None


def remote_reference(data: Any) -> str | None:
    """The first address that stands where a file's path belongs, None if there is none.

    Only "path" is looked at: Gradio reads a file from there, and "url" of an upload is the page's own address.
    """
    waiting = [data]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            path = one.get("path")
            if isinstance(path, str) and is_address(path):
                return path
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return None


def _check(body: bytes) -> None:
    try:
        data = json.loads(body)
    except RecursionError:
        raise InvalidRequest("The request is nested too deeply.", "Send plain fields.") from None
    except ValueError:
        # Not JSON, so no file reference either: what is asked says itself what it thinks of it.
        return
    address = remote_reference(data)
    if address is not None:
        shown = address if len(address) <= 60 else address[:59] + "…"
        raise InvalidRequest(
            f"“{shown}” is an address, not an uploaded file.",
            "Download it to your own computer and upload the file.",
            field="file",
        )


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise LimitExceeded(
                f"The request is larger than {LARGEST_BODY // 2**20} MB.", "Upload files by themselves."
            )
        if not message.get("more_body", False):
            return b"".join(parts)


def _is_upload(scope: Scope) -> bool:
    """A file on its way in. Both signs count: this path reads no JSON, and no other one reads multipart."""
    kind = Headers(scope=scope).get("content-type", "")
    return scope["path"].endswith(UPLOAD_PATH) and kind.startswith("multipart/")
