"""A hosted studio without a login: visitors share the queue and see nothing of each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client

from tests.studio.moving_square.running import RunningStudio, running_studio

pytestmark = pytest.mark.client


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("hosted") / "home", hosted=True) as running:
        yield running


def visitor(studio: RunningStudio, downloads: Path) -> Client:
    return Client(studio.url, download_files=downloads, verbose=False)


def test_visitors_see_only_their_own_jobs(hosted: RunningStudio, tmp_path: Path) -> None:
    anna, ben = visitor(hosted, tmp_path), visitor(hosted, tmp_path)
    done = anna.predict(prompt="a fox", steps=1, api_name="/text_to_video")
    assert done["status"] == "done"
    assert [job["job_id"] for job in anna.predict(api_name="/jobs")["jobs"]] == [done["job_id"]]
    assert ben.predict(api_name="/jobs")["jobs"] == []
    for endpoint in ("/job_status", "/job_result", "/job_cancel"):
        refused = ben.predict(job_id=done["job_id"], api_name=endpoint)
        assert refused["error"]["code"] == "not_available"
        assert refused["video"] is None
    assert anna.predict(job_id=done["job_id"], api_name="/job_result")["status"] == "done"


def test_a_raw_post_of_an_address_is_refused_at_the_queue(hosted: RunningStudio) -> None:
    """The upload event of “Reuse settings from a file”, as a browser would send it, with an address for the file."""
    config = httpx.get(f"{hosted.url}/config").json()
    button = next(one["id"] for one in config["components"] if one["type"] == "uploadbutton")
    event = next(one["id"] for one in config["dependencies"] if [button, "upload"] in one["targets"])
    inputs = next(one["inputs"] for one in config["dependencies"] if one["id"] == event)
    assert inputs == [button]
    file = {"path": "http://169.254.169.254/latest/meta-data", "meta": {"_type": "gradio.FileData"}}
    body = {"data": [file], "fn_index": event, "session_hash": "abc", "trigger_id": button}
    for path in ("queue/join", "run/upload", "call/upload"):
        reply = httpx.post(f"{hosted.url}/gradio_api/{path}", json=body)
        assert reply.status_code == 422, path
        assert reply.json()["detail"]["fix"] == "Download it to your own computer and upload the file."
