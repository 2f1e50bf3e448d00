"""A file into the gallery through the API: once, only one's own, and nothing that is no media."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file

from tests.studio.footage_files import clip
from tests.studio.moving_square.running import RunningStudio

pytestmark = pytest.mark.client


def brought(client: Client, file: Path) -> dict[str, Any]:
    reply: dict[str, Any] = client.predict(file=handle_file(file), api_name="/import_file")
    return reply


def test_a_file_is_imported_once_downloaded_and_used(client: Client, downloads: Path, tmp_path: Path) -> None:
    source = clip(tmp_path / "imported by a client.mp4")
    reply = brought(client, source)
    assert reply["error"] is None
    assert (reply["status"], reply["task"], reply["warnings"]) == ("done", "imported", [])
    assert reply["measurements"]["width"] == 96
    assert Path(reply["video"]).read_bytes() == source.read_bytes()
    assert downloads in Path(reply["video"]).parents
    again = brought(client, source)
    assert again["job_id"] == reply["job_id"]
    assert "is in the gallery already" in again["warnings"][0]
    asked = client.predict(job_id=reply["job_id"], api_name="/job_result")
    assert Path(asked["video"]).read_bytes() == source.read_bytes()
    assert reply["job_id"] not in [job["job_id"] for job in client.predict(api_name="/jobs")["jobs"]]


def test_what_is_no_media_and_what_was_not_uploaded_is_refused(
    client: Client, studio: RunningStudio, tmp_path: Path
) -> None:
    bad = tmp_path / "notes.mp4"
    bad.write_text("no video", encoding="utf-8")
    assert brought(client, bad)["error"]["code"] == "media_error"
    for path in ("/etc/passwd", str(studio.home / "library.sqlite3")):
        reply = client.predict(file=path, api_name="/import_file")
        assert reply["status"] == "rejected"
        assert reply["error"]["field"] == "file"
        assert reply["error"]["fix"] == "Choose the file again."
