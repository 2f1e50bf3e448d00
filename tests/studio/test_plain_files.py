"""Weights are safetensors or nothing: everything else could hold a program. Music is what can be heard."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from engines.errors import InvalidRequest, MediaError
from studio.plain_files import check_sound, check_weights
from tests.engines.composition.storyboard.test_music import tone


def test_safetensors_are_taken(tmp_path: Path) -> None:
    save_file({"body.0.weight": np.zeros((2, 3), np.float32)}, tmp_path / "mine.safetensors")
    check_weights(tmp_path / "mine.safetensors", "weights")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mine.pth", b"\x80\x04pickle"),
        ("mine.safetensors", b"\x80\x04pickle and more of it"),
        ("mine.safetensors", b""),
        ("mine.safetensors", (2**40).to_bytes(8, "little") + json.dumps({}).encode()),
    ],
)
def test_everything_else_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidRequest) as caught:
        check_weights(tmp_path / name, "weights")
    assert caught.value.field == "weights"
    assert ".safetensors" in caught.value.fix


def test_what_can_be_heard_is_taken_as_sound(tmp_path: Path) -> None:
    check_sound(tone(tmp_path / "a.wav", 0.2), "music")
    (tmp_path / "b.mp3").write_bytes(b"nothing to hear")
    with pytest.raises(MediaError) as caught:
        check_sound(tmp_path / "b.mp3", "music")
    assert caught.value.field == "music"
    assert "WAV" in caught.value.fix
