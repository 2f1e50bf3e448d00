"""Matrices that lie in a smaller format than they compute in, and are brought to it one layer at a time.

Shape legend: weight [O, …] with O rows; I = values of a row; G groups of a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

GROUP = 32  # values that share a scale in four bits
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


class WeightFormat(StrEnum):
    """How the transformer's matrices lie on the device, the most faithful first; they compute in the compute format."""

    AS_COMPUTED = "as computed"
    INT8 = "int8"
    FP8 = "fp8"
    INT4 = "int4"


# Bytes of a value, scales left out: a row is long.
BYTES_PER_VALUE: Mapping[WeightFormat, float] = {
    WeightFormat.INT8: 1.0, WeightFormat.FP8: 1.0, WeightFormat.INT4: 0.5 + 4 / GROUP,
}  # fmt: skip


class SmallMatrix(Protocol):
    """A weight in a smaller format."""

    def whole(self, dtype: torch.dtype) -> Tensor:
        """As it computes."""


@dataclass(frozen=True)
class Scaled:
    """Eight bits, with one scale for each row that brings its largest value to the format's largest.

    Floating point (e4m3, three bits of mantissa) is off by up to a sixteenth of a value; without a scale small weights
    fall below its smallest normal number, 2⁻⁶. Integers are off by up to a 254th of the row's largest value.

    Attributes:
        values: int8 or float8 [O, …]. scales: float32 [O, 1, …].
    """

    values: Tensor
    scales: Tensor

    @staticmethod
    def of(weight: Tensor, kind: torch.dtype) -> Scaled:
        largest = weight.float().abs().amax(dim=tuple(range(1, weight.dim())), keepdim=True).clamp(min=1e-12)
        is_whole = kind is torch.int8
        scales = largest / (torch.iinfo(kind) if is_whole else torch.finfo(kind)).max
        scaled = weight.float() / scales
        return Scaled((scaled.round() if is_whole else scaled).to(kind), scales)

    def whole(self, dtype: torch.dtype) -> Tensor:
        return self.values.to(dtype) * self.scales.to(dtype)


@dataclass(frozen=True)
class Integer4:
    """Two values in a byte; minimum and step for each group of 32 values of a row.

    Attributes:
        pairs: uint8 [O, G, 16]. low, step: float16 [O, G, 1].
        shape: Of the weight.
    """

    pairs: Tensor
    low: Tensor
    step: Tensor
    shape: torch.Size

    @staticmethod
    def fits(weight: Tensor) -> bool:
        return weight[0].numel() % GROUP == 0

    @staticmethod
    def of(weight: Tensor) -> Integer4:
        groups = weight.float().reshape(len(weight), -1, GROUP)
        low = groups.amin(-1, keepdim=True).half()
        step = ((groups.amax(-1, keepdim=True) - low) / 15).clamp(min=1e-7).half()
        levels = ((groups - low) / step).round().clamp(0, 15).to(torch.uint8)
        return Integer4(levels[..., 0::2] | levels[..., 1::2] << 4, low, step, weight.shape)

    def whole(self, dtype: torch.dtype) -> Tensor:
        levels = torch.stack((self.pairs & 15, self.pairs >> 4), dim=-1).flatten(-2)
        return (levels * self.step.float() + self.low).view(self.shape).to(dtype)


_MAKES: Mapping[WeightFormat, Callable[[Tensor], SmallMatrix]] = {
    WeightFormat.FP8: partial(Scaled.of, kind=torch.float8_e4m3fn),
    WeightFormat.INT8: partial(Scaled.of, kind=torch.int8),
    WeightFormat.INT4: Integer4.of,
}  # fmt: skip


def small(weight: Tensor, form: WeightFormat) -> SmallMatrix:
    """The weight in that format; rows that four bits cannot group are stored in eight."""
    if form is WeightFormat.INT4 and not Integer4.fits(weight):
        form = WeightFormat.INT8
    return _MAKES[form](weight)


class SmallWeights:
    """A model's matrices in a smaller format. The model keeps parameters without content in their places.

    Args:
        model: A diffusers model; what it says must not be cast (norms, embeddings, the last projection) is left alone.

    Attributes:
        form: In force.
    """

    def __init__(self, model: nn.Module, form: WeightFormat) -> None:
        self.form = form
        self._held: dict[str, SmallMatrix] = {}
        self._layers = dict(_castable(model))
        self._hooks = [hook for name, layer in self._layers.items() for hook in self._hooked(name, layer)]

    def __contains__(self, name: str) -> bool:
        """Whether the parameter of this name is one of them."""
        layer, _, last = name.rpartition(".")
        return last == "weight" and layer in self._layers

    def hold(self, name: str, weight: Tensor) -> None:
        """Keeps this parameter's value."""
        self._held[name] = small(weight, self.form)

    def drop(self, prefix: str) -> None:
        """Lets go what was held of the parameters that begin so."""
        for name in [name for name in self._held if name.startswith(prefix)]:
            del self._held[name]

    def undo(self) -> None:
        """The model is as before, without the values of these parameters."""
        for hook in self._hooks:
            hook.remove()
        self._held.clear()

    def _hooked(self, name: str, layer: nn.Module) -> Iterator[Any]:
        key = f"{name}.weight"
        away: nn.Parameter = layer.weight  # type: ignore[assignment]

        def bring(*_: object) -> None:
            nonlocal away
            away = layer._parameters["weight"]  # type: ignore[assignment]
            layer._parameters["weight"] = nn.Parameter(self._held[key].whole(away.dtype), requires_grad=False)

        def release(*_: object) -> None:
            layer._parameters["weight"] = away

        yield layer.register_forward_pre_hook(bring)
        yield layer.register_forward_hook(release, always_call=True)


def _castable(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Layers with matrices, but for those that the model and diffusers leave in the compute format."""
    from diffusers.hooks.layerwise_casting import DEFAULT_SKIP_MODULES_PATTERN

    own = getattr(model, "_skip_layerwise_casting_patterns", None) or ()
    kept = [re.compile(pattern) for pattern in (*DEFAULT_SKIP_MODULES_PATTERN, *own)]
    for name, layer in model.named_modules():
        if isinstance(layer, LAYERS) and not any(pattern.search(name) for pattern in kept):
            yield name, layer
