"""Only files of safetensors are taken as weights; everything else could hold a program."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from engines.errors import InvalidRequest
from studio.weights_field import check_weights


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
