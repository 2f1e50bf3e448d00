"""Tensors read out of safetensors files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engines.backend.memory.stored_tensors import StoredTensors

TENSORS = {
    "whole": torch.randn(3, 5, generator=torch.Generator().manual_seed(1)),
    "half": torch.randn(4, 2, 3).bfloat16(),
    "small": torch.randn(8, 8).to(torch.float8_e4m3fn),
    "numbers": torch.arange(7),
    "flags": torch.tensor([True, False]),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 4),
}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    names = list(TENSORS)
    for number, part in enumerate((names[:3], names[3:])):
        save_file({name: TENSORS[name] for name in part}, tmp_path / f"{number}.safetensors", {"kept": "beside them"})
    return sorted(tmp_path.glob("*.safetensors"))


def test_every_format_comes_back_as_it_was_written(files: list[Path]) -> None:
    stored = StoredTensors(files)
    assert sorted(stored.names) == sorted(TENSORS)
    for name, tensor in TENSORS.items():
        read = stored.read(name)
        assert read.dtype is tensor.dtype
        assert read.shape == tensor.shape
        assert torch.equal(read.float(), tensor.float())


def test_a_file_that_became_shorter_is_named(files: list[Path]) -> None:
    stored = StoredTensors(files)
    content = files[0].read_bytes()
    files[0].write_bytes(content[:-10])
    last = list(TENSORS)[2]
    with pytest.raises(OSError, match=rf"0\.safetensors ends in the middle of ({'|'.join(TENSORS)})"):
        stored.read(last)


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"\x80\x02}q\x00." * 10)
    with pytest.raises(ValueError, match="no safetensors file"):
        StoredTensors([path])
