"""Where a training run stands, on disk: written whole or not at all, so that a kill at any moment costs minutes.

The full state is one safetensors file (weights, average, moments; step in its metadata). The committed state holds the
averaged weights in float16 and the step only, to carry a run over to a machine that lost its disk.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from engines.training.json_lines import append_line


def save_state(path: Path, tensors: dict[str, torch.Tensor], step: int) -> None:
    """Writes atomically."""
    part = path.with_suffix(".part")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, part, metadata={"step": str(step)})
    os.replace(part, path)


def load_state(path: Path) -> tuple[dict[str, torch.Tensor], int]:
    """Tensors and step. Raises FileNotFoundError."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no mapping)
        return tensors, int((file.metadata() or {})["step"])


def state_step(path: Path) -> int:
    """The step of a state, from its header alone. Raises FileNotFoundError."""
    with safe_open(path, framework="pt") as file:
        return int((file.metadata() or {})["step"])


def load_carried_state(path: Path) -> tuple[dict[str, torch.Tensor], int]:
    """The committed state as a full one: fresh moments, the average as weights. Warm up again after it."""
    carried, step = load_state(path)
    average = carried["average"].float()
    zeros = torch.zeros_like(average)
    return {"master": average.clone(), "average": average, "first": zeros.clone(), "second": zeros}, step


def save_carried_state(path: Path, state_path: Path) -> None:
    """Makes the small file to commit out of the full one."""
    tensors, step = load_state(state_path)
    save_state(path, {"average": tensors["average"].half()}, step)


def append_log(path: Path, **values: Any) -> None:
    """One JSON line; the log is only ever appended to."""
    append_line(path, {"time": round(time.time(), 1), **values})
