"""One flat set of master weights, moments and average in shared memory, stepped by several processes together.

Each process computes gradients with its own bfloat16 or float32 copy of the model, writes them into its row of a shared
buffer, and after a barrier steps the parameters that it owns: matrices of the blocks with Muon, the rest with Adam. So
the optimiser's work is divided, and nothing is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from engines.training.muon import muon_update

ADAM_BETAS = (0.9, 0.99)


@dataclass(frozen=True)
class Group:
    """Parameters of one shape that one process steps as a stack. `places` are (start, name) in the flat buffer."""

    kind: str
    shape: tuple[int, ...]
    places: tuple[tuple[int, str], ...]
    owner: int


@dataclass
class SharedParameters:
    """Flat float32 tensors [P] in shared memory, and gradients [processes, P].

    Attributes:
        master, average: Weights and their exponential moving average.
        first: Momentum (Muon) or first moment (Adam). second: Adam's second moment, unused for Muon.
    """

    names: list[tuple[str, tuple[int, ...], int]]
    groups: list[Group]
    master: torch.Tensor
    average: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor
    gradients: torch.Tensor

    @staticmethod
    def of(model: torch.nn.Module, processes: int) -> SharedParameters:
        names, start = [], 0
        for name, parameter in model.named_parameters():
            names.append((name, tuple(parameter.shape), start))
            start += parameter.numel()
        flat = torch.cat([parameter.detach().float().flatten() for parameter in model.parameters()])
        master, average, first, second = flat.clone(), flat.clone(), torch.zeros(start), torch.zeros(start)
        gradients = torch.zeros(processes, start, dtype=torch.bfloat16)
        for tensor in (master, average, first, second, gradients):
            tensor.share_memory_()
        return SharedParameters(names, _groups(names, processes), master, average, first, second, gradients)

    def view(self, flat: torch.Tensor) -> dict[str, torch.Tensor]:
        """Views of a flat tensor by parameter name."""
        return {name: flat[start : start + _size(shape)].view(shape) for name, shape, start in self.names}

    def load_into(self, model: torch.nn.Module, flat: torch.Tensor) -> None:
        """Copies a flat tensor into the model's parameters, in their own precision."""
        views = self.view(flat)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(views[name])

    def write_gradients(self, model: torch.nn.Module, process: int) -> None:
        views = self.view(self.gradients[process])
        for name, parameter in model.named_parameters():
            if parameter.grad is None:
                views[name].zero_()
            else:
                views[name].copy_(parameter.grad)

    def step(self, process: int, step: int, muon_rate: float, adam_rate: float, average_decay: float) -> None:
        """Steps what this process owns. `step` counts from 1 (Adam's bias correction)."""
        for group in self.groups:
            if group.owner != process:
                continue
            size = _size(group.shape)
            gradient = torch.stack(
                [self.gradients[:, at : at + size].float().mean(0).view(group.shape) for at, _ in group.places]
            )
            if group.kind == "muon":
                self._muon(group, size, gradient, muon_rate)
            else:
                self._adam(group, size, gradient, adam_rate, step)
            for at, _ in group.places:
                self.average[at : at + size].lerp_(self.master[at : at + size], 1 - average_decay)

    def _muon(self, group: Group, size: int, gradient: torch.Tensor, rate: float) -> None:
        momentum = torch.stack([self.first[at : at + size].view(group.shape) for at, _ in group.places])
        direction = muon_update(gradient, momentum)
        for row, (at, _) in enumerate(group.places):
            self.first[at : at + size] = momentum[row].flatten()
            self.master[at : at + size] -= rate * direction[row].flatten()

    def _adam(self, group: Group, size: int, gradient: torch.Tensor, rate: float, step: int) -> None:
        beta1, beta2 = ADAM_BETAS
        for row, (at, _) in enumerate(group.places):
            part, grad = slice(at, at + size), gradient[row].flatten()
            self.first[part].mul_(beta1).add_(grad, alpha=1 - beta1)
            self.second[part].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
            denominator = (self.second[part] / (1 - beta2**step)).sqrt_().add_(1e-8)
            self.master[part] -= rate / (1 - beta1**step) * self.first[part] / denominator

    def state(self) -> dict[str, torch.Tensor]:
        """Everything that resuming needs, as flat tensors."""
        return {name: getattr(self, name) for name in ("master", "average", "first", "second")}

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        for name, value in state.items():
            getattr(self, name).copy_(value)


def _size(shape: tuple[int, ...]) -> int:
    return int(torch.Size(shape).numel())


def _groups(names: list[Any], processes: int) -> list[Group]:
    """Stacks of equal matrices, dealt out so that every process has the same work; the small rest goes to Adam."""
    by_shape: dict[tuple[int, ...], list[tuple[int, str]]] = {}
    rest: list[Group] = []
    for name, shape, start in names:
        if name.startswith("transformer_blocks.") and len(shape) == 2 and "scale_shift_table" not in name:
            by_shape.setdefault(shape, []).append((start, name))
        else:
            rest.append(Group("adam", shape, ((start, name),), len(rest) % processes))
    stacks = [
        Group("muon", shape, tuple(places[owner::processes]), owner)
        for shape, places in by_shape.items()
        for owner in range(processes)
        if places[owner::processes]
    ]
    return stacks + rest
