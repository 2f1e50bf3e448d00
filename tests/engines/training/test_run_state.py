"""The files that a run leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from engines.training.run_state import append_log, load_carried_state, load_state, save_carried_state, save_state


def tensors(value: float) -> dict[str, torch.Tensor]:
    return {
        name: torch.full((5,), value + index) for index, name in enumerate(("master", "average", "first", "second"))
    }


def test_a_state_comes_back_with_its_step(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    save_state(path, tensors(1.5), 77)
    loaded, step = load_state(path)
    assert step == 77
    assert loaded.keys() == tensors(1.5).keys()
    assert all(torch.equal(loaded[name], value) for name, value in tensors(1.5).items())
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_was_cut_off_leaves_the_old_state(tmp_path: Path) -> None:
    """What a kill in the middle of writing leaves: half a file beside the whole one."""
    path = tmp_path / "state.safetensors"
    save_state(path, tensors(1.0), 5)
    path.with_suffix(".part").write_bytes(path.read_bytes()[:60])
    assert load_state(path)[1] == 5
    save_state(path, tensors(2.0), 6)
    loaded, step = load_state(path)
    assert step == 6
    assert torch.equal(loaded["master"], tensors(2.0)["master"])


def test_a_write_that_fails_leaves_the_old_state(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    save_state(path, tensors(1.0), 5)
    shared = torch.zeros(4)
    with pytest.raises(RuntimeError):  # safetensors refuses tensors that share memory
        save_state(path, {"master": shared, "average": shared}, 6)
    assert load_state(path)[1] == 5


def test_no_state_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_state(tmp_path / "state.safetensors")


def test_the_carried_state_is_the_average_in_half_precision(tmp_path: Path) -> None:
    full, small = tmp_path / "state.safetensors", tmp_path / "carried.safetensors"
    state = tensors(0.0) | {"average": torch.tensor([0.1, -1.25, 3.0, 1e-3, 7.7])}
    save_state(full, state, 300)
    save_carried_state(small, full)
    with safe_open(small, framework="pt") as file:
        assert list(file.keys()) == ["average"]
        assert file.get_tensor("average").dtype == torch.float16
    carried, step = load_carried_state(small)
    assert step == 300
    assert torch.equal(carried["average"], state["average"].half().float())
    assert torch.equal(carried["master"], carried["average"])
    assert not carried["first"].any()
    assert not carried["second"].any()
    places = {tensor.data_ptr() for tensor in carried.values()}
    assert len(places) == 4  # each its own memory: stepping one must not step another


def test_the_log_is_json_lines_and_only_grows(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    append_log(path, event="start", step=0)
    first = path.read_text(encoding="utf-8")
    append_log(path, step=20, loss=1.25, phase="clips")
    assert path.read_text(encoding="utf-8").startswith(first)
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [record["step"] for record in records] == [0, 20]
    assert records[1] | {"time": 0} == {"time": 0, "step": 20, "loss": 1.25, "phase": "clips"}
    assert records[0]["time"] <= records[1]["time"]
