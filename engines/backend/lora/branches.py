"""Low-rank weights beside a model's own, which stay as they are: wherever and in whatever format a memory plan lays
them, and to the bit when the branches are gone (docs/decisions/013).

Shape legend: x [..., I] → [..., O]; R rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from engines.backend.lora.files import LowRank
from engines.errors import InvalidRequest


class LowRankBranches:
    """Adds strength · scale · up · (down · x) to what linear layers say (Hu et al. 2021, "LoRA", eq. 3).

    Args:
        model: Its weights are not touched. The branches lie on its device in its format, about a hundredth of it.
        weights: Layer's name → what is added there.
        strength: What the person wants of it; 0 is nothing.
        called: What it is called in messages.

    Raises: InvalidRequest (field lora) where a layer is missing, is not linear or has other sizes.
    """

    def __init__(
        self, model: Any, weights: Mapping[str, LowRank], strength: float = 1.0, called: str = "The LoRA"
    ) -> None:
        layers = {name: _layer(model, name, each, called) for name, each in weights.items()}
        self._hooks = [
            layer.register_forward_hook(_Branch(weights[name], strength, model.device, model.dtype))
            for name, layer in layers.items()
        ]

    def undo(self) -> None:
        """The model is as before."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []


class _Branch:
    def __init__(self, weights: LowRank, strength: float, device: torch.device, dtype: torch.dtype) -> None:
        self._down = weights.down.to(device, dtype)
        self._up = (weights.up.float() * (weights.scale * strength)).to(device, dtype)
        self._bias = None if weights.bias is None else (weights.bias.float() * strength).to(device, dtype)

    def __call__(self, _: nn.Module, given: tuple[Tensor, ...], said: Tensor) -> Tensor:
        return said + linear(linear(given[0].to(self._down.dtype), self._down), self._up, self._bias).to(said.dtype)


def _layer(model: nn.Module, name: str, weights: LowRank, called: str) -> nn.Linear:
    try:
        layer = model.get_submodule(name)
    except AttributeError:
        layer = None
    if not isinstance(layer, nn.Linear):
        raise InvalidRequest(
            f"{called} is for another model: this one has no linear layer {name}.",
            "Choose a LoRA for this model.",
            "lora",
        )
    wanted = (weights.down.shape[1], weights.up.shape[0])
    if wanted != (layer.in_features, layer.out_features):
        raise InvalidRequest(
            f"{called} is for a model of another size: its {name} takes {wanted[0]} values and gives {wanted[1]}, this "
            f"model's takes {layer.in_features} and gives {layer.out_features}.",
            "Choose a LoRA for this model.",
            "lora",
        )
    return layer
