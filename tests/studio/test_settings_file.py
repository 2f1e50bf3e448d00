"""What a form takes over from a file, and what it says of a file that is not for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engines.composition.finishing.request import FinishedTextToVideoRequest
from engines.errors import InvalidRequest
from studio.settings_file import settings_of


def record(folder: Path, request: dict[str, Any]) -> Path:
    path = folder / "clip.gif.json"
    path.write_text(json.dumps({"framewright": "test", "request": request}), encoding="utf-8")
    return path


def test_the_request_comes_back_whole(tmp_path: Path) -> None:
    wanted = FinishedTextToVideoRequest(prompt="a fox", steps=7, seed=5).model_dump(mode="json")
    path = record(tmp_path, {"task": "text_to_video", **wanted})
    assert settings_of(path, FinishedTextToVideoRequest, "Text to video") == wanted


def test_a_file_of_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as caught:
        settings_of(record(tmp_path, {"task": "upscale"}), FinishedTextToVideoRequest, "Text to video")
    assert "“upscale”" in caught.value.message
    assert caught.value.fix == "Choose a file that Text to video made."


def test_a_changed_request_names_the_field_that_is_wrong(tmp_path: Path) -> None:
    path = record(tmp_path, {"task": "text_to_video", "prompt": "a fox", "frames": 0})
    with pytest.raises(InvalidRequest) as caught:
        settings_of(path, FinishedTextToVideoRequest, "Text to video")
    assert caught.value.fix == "Choose frames between 1 and 2401."
