"""The API as a client meets it: named endpoints only, errors as data, jobs that can be asked for and cancelled."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import av
import pytest
from gradio_client import Client

from engines.composition.animation.request import FinishedImageAnimationRequest
from engines.composition.editing.request import FinishedVideoEditingRequest
from engines.composition.finishing.request import FinishedTextToVideoRequest
from engines.composition.storyboard.request import StoryboardRequest
from engines.interpolation.request import InterpolationRequest
from engines.media.metadata import read_request
from tests.studio.doubling.request import DoublingRequest
from tests.studio.moving_square.running import ROOT, RunningStudio

pytestmark = pytest.mark.client

FIELDS = list(FinishedTextToVideoRequest.model_fields)


def with_first(fields: list[str], *required: str) -> list[str]:
    return [*required, *(name for name in fields if name not in required)]


UPSCALE = with_first(list(DoublingRequest.model_fields), "video")
INTERPOLATE = with_first(list(InterpolationRequest.model_fields), "video")
EDIT = with_first(list(FinishedVideoEditingRequest.model_fields), "video")
ANIMATE = with_first(list(FinishedImageAnimationRequest.model_fields), "picture", "prompt")
STORYBOARD = with_first(list(StoryboardRequest.model_fields), "scenes")
ENDPOINTS = {
    "/animate_image": ANIMATE,
    "/animate_image_submit": [*ANIMATE, "idempotency_key"],
    "/upscale": UPSCALE,
    "/upscale_submit": [*UPSCALE, "idempotency_key"],
    "/interpolate": INTERPOLATE,
    "/interpolate_submit": [*INTERPOLATE, "idempotency_key"],
    "/edit_video": EDIT,
    "/edit_video_submit": [*EDIT, "idempotency_key"],
    "/storyboard": STORYBOARD,
    "/storyboard_submit": [*STORYBOARD, "idempotency_key"],
    "/text_to_video": FIELDS,
    "/text_to_video_submit": [*FIELDS, "idempotency_key"],
    "/import_file": ["file"],
    "/job_status": ["job_id"],
    "/job_result": ["job_id"],
    "/job_cancel": ["job_id"],
    "/job_pause": ["job_id"],
    "/job_resume": ["job_id"],
    "/job_retry": ["job_id"],
    "/job_move": ["job_id", "direction"],
    "/job_priority": ["job_id", "priority"],
    "/job_events": ["job_id"],
    "/jobs": ["task", "limit"],
}
REPLY = {
    "job_id", "task", "status", "position", "phase", "step", "total", "message", "seconds_left", "video", "files",
    "measurements", "warnings", "error",
}  # fmt: skip
LONG = 200


def submit(client: Client, **fields: Any) -> dict[str, Any]:
    reply: dict[str, Any] = client.predict(**fields, api_name="/text_to_video_submit")
    return reply


def ask(client: Client, endpoint: str, job_id: str) -> dict[str, Any]:
    reply: dict[str, Any] = client.predict(job_id=job_id, api_name=endpoint)
    return reply


def wait_for(client: Client, job_id: str, *statuses: str) -> dict[str, Any]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        reply = ask(client, "/job_status", job_id)
        if reply["status"] in statuses:
            return reply
        time.sleep(0.1)
    raise AssertionError(f"{job_id} is still {reply}")


def test_only_named_endpoints_with_the_fields_of_the_request(client: Client) -> None:
    info: dict[str, Any] = client.view_api(return_format="dict", print_info=False)
    assert info["unnamed_endpoints"] == {}
    found = {
        name: [parameter["parameter_name"] for parameter in endpoint["parameters"]]
        for name, endpoint in info["named_endpoints"].items()
    }
    assert found == ENDPOINTS


def test_every_parameter_is_described_and_typed(client: Client, studio: RunningStudio) -> None:
    info: dict[str, Any] = client.view_api(return_format="dict", print_info=False)
    parameters = info["named_endpoints"]["/text_to_video"]["parameters"]
    assert {one["parameter_name"] for one in parameters if not one["parameter_has_default"]} == {"prompt"}
    types = {one["parameter_name"]: one["type"] for one in parameters}
    assert types["steps"] == {"type": "integer"}
    assert types["guidance_scale"] == {"type": "number"}
    assert types["solver"] == {"enum": ["euler", "midpoint", "heun"]}


def test_waiting_for_a_render_returns_a_video_that_carries_its_request(client: Client, downloads: Path) -> None:
    reply = client.predict(prompt="a fox", steps=2, seed=5, api_name="/text_to_video")
    assert set(reply) == REPLY
    assert reply["error"] is None
    assert reply["status"] == "done"
    video = Path(reply["video"])
    assert downloads in video.parents
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 17
    request = read_request(video)
    assert (request["prompt"], request["seed"]) == ("a fox", 5)
    assert [file["kind"] for file in reply["files"]] == ["video", "thumbnail"]
    assert reply["measurements"]["seconds"] > 0


def test_a_wrong_field_is_an_error_as_data_and_no_job(client: Client) -> None:
    before = len(client.predict(api_name="/jobs")["jobs"])
    reply = submit(client, prompt="a fox", frames=1_000_000)
    assert reply["job_id"] == ""
    assert reply["status"] == "rejected"
    assert reply["error"]["code"] == "invalid_request"
    assert reply["error"]["field"] == "frames"
    assert "1000000" in reply["error"]["message"]
    assert reply["error"]["fix"] == "Choose frames between 1 and 2401."
    assert len(client.predict(api_name="/jobs")["jobs"]) == before


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"prompt": "  "}, "prompt"), ({"prompt": "a", "width": 97}, "width"), ({"prompt": "a", "steps": -1}, "steps")],
)
def test_bad_input_names_its_field(client: Client, fields: dict[str, Any], field: str) -> None:
    reply = client.predict(**fields, api_name="/text_to_video")
    assert reply["error"]["field"] == field
    assert reply["error"]["fix"].startswith("Choose")


def test_words_that_the_model_does_not_know_are_warnings_at_once(client: Client) -> None:
    reply = submit(client, prompt="a chandelier on the beach", steps=1)
    assert any("chandelier" in warning for warning in reply["warnings"])


def test_the_same_key_gives_the_same_job(client: Client) -> None:
    first = submit(client, prompt="a fox", steps=1, idempotency_key="once")
    second = submit(client, prompt="a fox", steps=1, idempotency_key="once")
    other = submit(client, prompt="a fox", steps=1, idempotency_key="twice")
    assert first["job_id"] == second["job_id"] != other["job_id"]
    wait_for(client, other["job_id"], "done")


def test_a_running_job_shows_its_steps_and_ends_when_it_is_cancelled(client: Client) -> None:
    job_id = submit(client, prompt="a fox", steps=LONG)["job_id"]
    running = wait_for(client, job_id, "running")
    while running["step"] == 0:
        running = ask(client, "/job_status", job_id)
    assert running["total"] == LONG
    assert running["video"] is None
    ask(client, "/job_cancel", job_id)
    ended = wait_for(client, job_id, "cancelled")
    assert ended["step"] < LONG


def test_a_failed_render_says_what_to_do(client: Client) -> None:
    reply = client.predict(prompt="too large a fox", steps=1, api_name="/text_to_video")
    assert reply["status"] == "failed"
    assert reply["error"]["code"] == "resource_error"
    assert reply["error"]["fix"] == "Choose fewer frames or a smaller size."


def test_waiting_jobs_are_moved_paused_and_told_of(client: Client) -> None:
    running = submit(client, prompt="a fox", steps=LONG)["job_id"]
    first, second = (submit(client, prompt=f"a boat {n}", steps=1)["job_id"] for n in (1, 2))
    wait_for(client, running, "running")
    assert client.predict(job_id=second, direction="first", api_name="/job_move")["position"] == 1
    assert client.predict(job_id=second, priority="low", api_name="/job_priority")["position"] == 2
    assert client.predict(job_id=second, direction="sideways", api_name="/job_move")["error"]["field"] == "direction"
    assert ask(client, "/job_pause", first)["status"] == "paused"
    ask(client, "/job_cancel", running)
    wait_for(client, second, "done")
    assert ask(client, "/job_status", first)["status"] == "paused"
    ask(client, "/job_resume", first)
    wait_for(client, first, "done")
    history = client.predict(job_id=first, api_name="/job_events")
    assert [event["kind"] for event in history["events"]] == ["submitted", "paused", "queued", "started", "done"]
    wait_for(client, running, "cancelled")
    assert ask(client, "/job_retry", running)["status"] == "queued"
    ask(client, "/job_cancel", running)


@pytest.mark.parametrize(
    "endpoint", ["/job_status", "/job_result", "/job_cancel", "/job_pause", "/job_resume", "/job_retry"]
)
@pytest.mark.parametrize("job_id", ["0" * 32, "../../etc/passwd", ""])
def test_an_id_that_is_not_yours_is_an_error_as_data(client: Client, endpoint: str, job_id: str) -> None:
    reply = ask(client, endpoint, job_id)
    assert reply["job_id"] == ""
    assert ask(client, "/job_events", job_id)["error"]["code"] == reply["error"]["code"]
    assert reply["error"]["code"] == "not_available"
    assert reply["error"]["fix"]


def test_jobs_are_listed_newest_first(client: Client) -> None:
    newest = submit(client, prompt="the newest fox", steps=1)["job_id"]
    reply = client.predict(task="text_to_video", limit=3, api_name="/jobs")
    assert reply["error"] is None
    assert reply["jobs"][0]["job_id"] == newest
    assert len(reply["jobs"]) == 3


def test_jobs_of_a_task_that_does_not_exist_are_an_error_as_data(client: Client) -> None:
    reply = client.predict(task="unknown", limit=3, api_name="/jobs")
    assert reply["jobs"] == []
    assert reply["error"]["field"] == "task"
    assert "text_to_video" in reply["error"]["fix"]


def test_files_of_the_home_folder_are_not_served(client: Client, studio: RunningStudio) -> None:
    secret = studio.home / "library.sqlite3"
    assert secret.is_file()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{studio.url}/gradio_api/file={secret}", timeout=10)
    assert refused.value.code == 403


def test_the_readme_example_works_as_printed_with_the_real_engine(real_studio: RunningStudio, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- client-example -->\s*```python\n(.*?)```", readme, re.S)
    assert found, "README.md has no block marked <!-- client-example -->"
    printed = found.group(1)
    assert "http://127.0.0.1:7860" in printed
    script = tmp_path / "example.py"
    script.write_text(printed.replace("http://127.0.0.1:7860", real_studio.url), encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    said = re.search(r"The video is (.+\.mp4)", finished.stdout)
    assert said, finished.stdout
    request = read_request(Path(said.group(1)))
    assert (request["prompt"], request["seed"], request["steps"]) == ("a fox bounces on a green field", 7, 10)
    assert re.search(r"^running \w* \d+ of \d+$", finished.stdout, re.M), finished.stdout
