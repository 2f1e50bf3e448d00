"""Addresses in the place of files never reach Gradio, which would fetch them; everything else passes unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from studio.file_references import LARGEST_BODY, RefuseRemoteFiles, is_address


async def echo(request: Request) -> Response:
    return Response(await request.body())


@pytest.fixture(scope="module")
def client() -> TestClient:
    routes = [Route("/{path:path}", echo, methods=["POST"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(RefuseRemoteFiles)]))


def upload(path: str) -> dict[str, Any]:
    return {"fn_index": 3, "data": [[{"path": path, "meta": {"_type": "gradio.FileData"}}]]}


@pytest.mark.parametrize(
    "path", ["http://169.254.169.254/latest", "HTTPS://example.org/a.mp4", " http://x", "//host/a", "file:/etc/passwd"]
)
def test_an_address_is_refused_with_what_to_do(client: TestClient, path: str) -> None:
    reply = client.post("/gradio_api/queue/join", json=upload(path))
    assert reply.status_code == 422
    assert path[:20] in reply.json()["detail"]["message"]
    assert reply.json()["detail"]["fix"] == "Download it to your own computer and upload the file."
    assert reply.json()["detail"]["field"] == "file"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/gradio_api/run/upload", "application/json"),
        ("/gradio_api/upload", "application/json"),
        ("/gradio_api/run/x", "multipart/form-data; boundary=b"),
        ("/gradio_api/queue/join", "text/plain"),
    ],
)
def test_no_path_and_no_content_type_leads_around_it(client: TestClient, path: str, kind: str) -> None:
    body = json.dumps(upload("http://169.254.169.254/"))
    assert client.post(path, content=body, headers={"content-type": kind}).status_code == 422


def test_uploaded_files_and_prompts_about_addresses_pass_unchanged(client: TestClient) -> None:
    data = upload("/tmp/gradio/abc/clip.mp4")
    data["data"].append("a fox reads http://example.org")
    data["data"][0][0]["url"] = "http://127.0.0.1:7860/gradio_api/file=/tmp/gradio/abc/clip.mp4"
    body = json.dumps(data).encode()
    assert client.post("/gradio_api/queue/join", content=body).content == body
    assert client.post("/login", content=b"username=anna").content == b"username=anna"
    assert not is_address("C:\\clips\\a.mp4")


def test_files_are_uploaded_whatever_their_size_and_requests_have_a_limit(client: TestClient) -> None:
    large = b"x" * (LARGEST_BODY + 1)
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert len(client.post("/gradio_api/upload", content=large, headers=headers).content) == len(large)
    refused = client.post("/gradio_api/queue/join", content=large)
    assert refused.status_code == 413
    assert refused.json()["detail"]["fix"] == "Upload files by themselves."


def test_absurd_nesting_is_refused(client: TestClient) -> None:
    reply = client.post("/gradio_api/queue/join", content=b"[" * 200_000 + b"]" * 200_000)
    assert reply.status_code == 422
