"""Who brought no cookie gets one; who brought one keeps it and gets the same owner each time."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from studio.visitor import COOKIE, VisitorCookie, visitor_owner


async def say_owner(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(visitor_owner(request.scope, "page")))


def client(**options: Any) -> TestClient:
    app = Starlette(routes=[Route("/", say_owner)], middleware=[Middleware(VisitorCookie, **options)])
    return TestClient(app)


def test_a_cookie_of_128_random_bits_is_kept_from_scripts_and_other_sites() -> None:
    given = [client().get("/").headers["set-cookie"] for _ in range(2)]
    values = [SimpleCookie(line)[COOKIE].value for line in given]
    assert all(len(value) == 32 and int(value, 16) > 0 for value in values)
    assert values[0] != values[1]
    assert "HttpOnly" in given[0]
    assert "SameSite=Lax" in given[0]


def test_a_frame_of_another_site_needs_another_cookie() -> None:
    given = client(embedded=True).get("/").headers["set-cookie"]
    assert given.endswith("SameSite=None; Secure; Partitioned")


def test_a_visitor_keeps_cookie_and_owner_and_others_have_another_owner() -> None:
    browser, other = client(), client()
    browser.get("/")
    first, second = browser.get("/"), browser.get("/")
    assert "set-cookie" not in first.headers
    assert first.text == second.text
    assert first.text.startswith("visitor-")
    assert browser.cookies[COOKIE] not in first.text
    other.get("/")
    assert other.get("/").text not in (first.text, "None")


@pytest.mark.parametrize("value", ["", "short", "g" * 32, "a" * 33, "local"])
def test_a_made_up_cookie_is_replaced_and_names_nobody(value: str) -> None:
    reply = client().get("/", headers={"cookie": f"{COOKIE}={value}"})
    assert SimpleCookie(reply.headers["set-cookie"])[COOKIE].value != value
    assert reply.text.startswith("session-")


def test_outside_public_mode_there_are_no_visitors() -> None:
    assert visitor_owner({}, "page") is None
