"""In public mode everybody who comes without a login gets a random cookie, so that nobody sees another's renders."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "framewright_visitor"
# Where the middleware leaves the visitor for the handlers; "" for somebody who did not bring a cookie back yet.
SCOPE_KEY = "framewright.visitor"
COOKIE_DAYS = 365
# 128 random bits.
_VALUE = re.compile("[0-9a-f]{32}")


class VisitorCookie:
    """ASGI middleware: gives a cookie to those who have none and notes in the scope who has one.

    Args:
        app: What is asked next.
        embedded: The page lies in a frame of another site, as on Spaces. Browsers then keep only cookies that are
            marked Secure, SameSite=None and Partitioned; otherwise SameSite=Lax keeps other sites out.
    """

    def __init__(self, app: ASGIApp, embedded: bool = False) -> None:
        self.app = app
        self.attributes = "SameSite=None; Secure; Partitioned" if embedded else "SameSite=Lax"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        value = _cookie_of(scope)
        scope[SCOPE_KEY] = value

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and not value:
                made = f"{COOKIE}={secrets.token_hex(16)}; Path=/; Max-Age={COOKIE_DAYS * 86400}; HttpOnly"
                MutableHeaders(scope=message).append("set-cookie", f"{made}; {self.attributes}")
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def visitor_owner(scope: Mapping[str, Any], session_hash: str | None) -> str | None:
    """The owner of a visitor's jobs; None outside public mode.

    The library holds a hash: who reads it learns nobody's cookie. Without a cookie (a browser that refuses them, a
    client that never brings one back) the jobs belong to the one open page or client.
    """
    value = scope.get(SCOPE_KEY)
    if value is None:
        return None
    kind, secret = ("visitor", value) if value else ("session", session_hash or secrets.token_hex(16))
    return f"{kind}-{hashlib.sha256(secret.encode()).hexdigest()[:32]}"


def _cookie_of(scope: Scope) -> str:
    lines = [text.decode("latin-1") for name, text in scope["headers"] if name == b"cookie"]
    value = cookie_parser("; ".join(lines)).get(COOKIE, "")
    return value if _VALUE.fullmatch(value) else ""
