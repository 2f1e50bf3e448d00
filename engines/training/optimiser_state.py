"""A module's weights with its Adam moments as one state file: a run that was killed goes on with the very next step."""

from __future__ import annotations

from pathlib import Path

import torch

from engines.training.run_state import load_state, save_state

MOMENTS = ("exp_avg", "exp_avg_sq")


def save_training(path: Path, module: torch.nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    """Writes weights, buffers and moments after so many steps, whole or not at all."""
    tensors = {f"weight.{name}": value.clone() for name, value in module.state_dict().items()}
    for name, parameter in module.named_parameters():
        for key in MOMENTS:
            if key in optimiser.state[parameter]:  # not before its first gradient
                tensors[f"{key}.{name}"] = optimiser.state[parameter][key].clone()
    save_state(path, tensors, step)


def restore_training(path: Path, module: torch.nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Fills both from the file. Returns: the steps that are done, 0 where there is no file."""
    if not path.exists():
        return 0
    tensors, step = load_state(path)
    module.load_state_dict({name[7:]: value for name, value in tensors.items() if name.startswith("weight.")})
    for name, parameter in module.named_parameters():
        if f"{MOMENTS[0]}.{name}" in tensors:
            moments = {key: tensors[f"{key}.{name}"].clone() for key in MOMENTS}
            optimiser.state[parameter] = {"step": torch.tensor(float(step)), **moments}
    return step
