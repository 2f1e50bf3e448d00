"""Footage through the API: a file goes up, a larger or smoother one comes down; other paths stay closed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file

from engines.media.metadata import read_request
from engines.media.probe import probe
from engines.media.reader import read_clip
from tests.engines.composition.storyboard.test_music import tone
from tests.studio.footage_files import clip, picture
from tests.studio.moving_square.running import RunningStudio

pytestmark = pytest.mark.client


def test_a_clip_is_uploaded_upscaled_and_downloaded(client: Client, downloads: Path, tmp_path: Path) -> None:
    source = clip(tmp_path / "holiday.mp4")
    reply = client.predict(video=handle_file(source), factor=2, end=0.5, api_name="/upscale")
    assert reply["error"] is None
    assert reply["status"] == "done"
    video = Path(reply["video"])
    assert downloads in video.parents
    info = probe(video)
    assert (info.width, info.height) == (192, 128)
    assert info.duration_seconds == pytest.approx(0.5)
    request = read_request(video)
    assert (request["task"], request["factor"], Path(request["video"]).name) == (
        "super_resolution", 2.0, "holiday.mp4",
    )  # fmt: skip


def test_a_clip_is_interpolated_and_can_be_asked_for(client: Client, tmp_path: Path) -> None:
    given = handle_file(clip(tmp_path / "a.mp4"))
    job_id = client.predict(video=given, rate="x2", api_name="/interpolate_submit")["job_id"]
    assert job_id
    reply: dict[str, Any] = {}
    while reply.get("status") not in ("done", "failed"):
        reply = client.predict(job_id=job_id, api_name="/job_result")
    assert reply["status"] == "done"
    assert float(probe(Path(reply["video"])).fps) == 24


def test_one_picture_turns_into_another(client: Client, tmp_path: Path) -> None:
    first, second = picture(tmp_path / "1.png"), picture(tmp_path / "2.png", (20, 60, 200))
    reply = client.predict(video=handle_file(first), second=handle_file(second), api_name="/interpolate")
    assert reply["error"] is None
    assert probe(Path(reply["video"])).kind == "video"


def test_a_picture_starts_to_move(client: Client, tmp_path: Path) -> None:
    reply = client.predict(
        picture=handle_file(picture(tmp_path / "1.png")), prompt="a fox bounces in the snow", frames=9, steps=2,
        api_name="/animate_image",
    )  # fmt: skip
    assert reply["error"] is None
    made = np.asarray(read_clip(Path(reply["video"])).frames)
    assert made.shape == (18, 256, 512, 3), "the shape nearest to the picture, larger, with twice as many frames"
    assert read_request(Path(reply["video"]))["task"] == "image_animation"


def test_scenes_become_a_film(client: Client, tmp_path: Path) -> None:
    scenes = [
        {"prompt": "a fox bounces in the snow", "seconds": 0.4},
        {"prompt": "a cat spins in the snow", "seconds": 0.4, "title": "Later"},
    ]
    small = {"width": 64, "height": 64, "steps": 2}
    music = handle_file(tone(tmp_path / "a.wav", 0.5))
    reply = client.predict(scenes=scenes, music=music, **small, api_name="/storyboard")
    assert reply["error"] is None
    made = read_clip(Path(reply["video"]))
    assert np.asarray(made.frames).shape == (20, 256, 256, 3)
    assert made.audio is not None
    assert len(read_request(Path(reply["video"]))["scenes"]) == 2
    wrong = client.predict(scenes=[{"prompt": "a fox"}], api_name="/storyboard")
    assert wrong["error"]["field"] == "scenes"
    assert "entry 1, seconds" in wrong["error"]["message"]


def test_a_marked_thing_is_removed(client: Client, tmp_path: Path) -> None:
    source = clip(tmp_path / "square.mp4")
    marks = json.dumps([{"frame": 0, "kind": "box", "box": [0, 18, 18, 38]}])
    reply = client.predict(
        video=handle_file(source), mode="remove", selection="marks", marks=marks, api_name="/edit_video"
    )
    assert reply["error"] is None
    before, after = (np.asarray(read_clip(path).frames).astype(int) for path in (source, Path(reply["video"])))
    assert before[6, 28, 26].max() > 200, "the square is here"
    assert np.abs(after[6, 28, 26] - 60).max() < 25
    wrong = client.predict(
        video=handle_file(source), mode="remove", selection="marks", marks="no", api_name="/edit_video"
    )
    assert wrong["error"]["field"] == "marks"


def test_the_same_key_gives_the_same_job(client: Client, tmp_path: Path) -> None:
    given = handle_file(clip(tmp_path / "a.mp4"))
    replies = [
        client.predict(video=given, idempotency_key="footage", api_name="/upscale_submit") for _ in range(2)
    ]  # fmt: skip
    assert replies[0]["job_id"] == replies[1]["job_id"] != ""


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "/etc/hostname"])
def test_a_path_that_was_not_uploaded_is_refused(client: Client, path: str) -> None:
    # Not as handle_file, which uploads it from here: as the server's own path.
    reply = client.predict(video=path, api_name="/upscale")
    assert reply["status"] == "rejected"
    assert reply["error"]["field"] == "video"
    assert reply["error"]["fix"] == "Choose the file again."


def test_the_library_itself_is_no_upload(client: Client, studio: RunningStudio) -> None:
    reply = client.predict(video=str(studio.home / "library.sqlite3"), api_name="/upscale_submit")
    assert reply["error"]["field"] == "video"
    assert "not among your files" in reply["error"]["message"]


def test_a_wrong_file_and_a_wrong_number_name_their_fields(client: Client, tmp_path: Path) -> None:
    bad = tmp_path / "notes.mp4"
    bad.write_text("no video", encoding="utf-8")
    reply = client.predict(video=handle_file(bad), api_name="/upscale")
    assert reply["error"]["field"] == "video"
    good = handle_file(clip(tmp_path / "a.mp4"))
    assert client.predict(video=good, factor=99, api_name="/upscale")["error"]["field"] == "factor"
    weights = client.predict(video=good, weights=handle_file(bad), api_name="/upscale")
    assert weights["error"]["field"] == "weights"
    assert ".safetensors" in weights["error"]["fix"]
