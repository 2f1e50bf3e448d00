"""A part of a model that can leave the device and come back from its files, which the system keeps in memory if it can.

A module that has left keeps its structure, hooks and small computed buffers; its weights are on the meta device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from safetensors import safe_open
from torch import Tensor, nn

T = TypeVar("T")


class Part(Protocol):
    """What a residence moves."""

    def bring(self) -> None:
        """Onto the device, if it is not there."""

    def release(self) -> None:
        """Away from the device."""


class ModulePart:
    """A diffusers module with its files.

    Args:
        module: Loaded; its names are those in the files.
        files: Safetensors.
        device: Where it computes.
    """

    def __init__(self, module: nn.Module, files: Sequence[Path], device: torch.device) -> None:
        self.module = module
        self._device = device
        self._places = {name: file for file in files for name in _names(file)}
        self._away = False
        self._streamed: list[BlockStream] = []
        self._in_fp8 = False

    def bring(self) -> None:
        if self._away:
            streamed = tuple(f"{stream.name}." for stream in self._streamed)
            self.fill(self.module, "", [name for name in self._places if not name.startswith(streamed or ("\0",))])
            self._away = False

    def release(self) -> None:
        if not self._away:
            _empty(self.module)
            self._away = True

    def stream_blocks(self) -> None:
        """From now on each block's weights are on the device only while the block computes."""
        if self._streamed:
            return
        self.release()
        for name, blocks in self.module.named_children():
            if isinstance(blocks, nn.ModuleList) and name.endswith("blocks"):
                self._streamed += [BlockStream(self, f"{name}.{index}", block) for index, block in enumerate(blocks)]

    def store_in_fp8(self, compute_dtype: torch.dtype) -> None:
        """Matrices lie as float8 (e4m3) from now on and are brought to the compute format layer by layer."""
        if self._in_fp8:
            return
        self._in_fp8 = True
        self.release()  # brought again tensor by tensor, already small
        model: Any = self.module
        model.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=compute_dtype)

    def fill(self, module: nn.Module, prefix: str, names: Iterable[str]) -> None:
        """Weights of these full names into a module whose own names come after the prefix."""
        own: dict[str, Tensor] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        for name in names:
            target = own.get(name.removeprefix(prefix))
            if target is None:
                continue
            # Opened for each: what was read of a mapped file stays in memory as long as it is open. A copy, for a
            # weight that looks into its file keeps all of it. And weights outlive the call that brings them.
            with safe_open(self._places[name], framework="pt", device="cpu") as opened, torch.inference_mode(False):
                value = opened.get_tensor(name).to(device=self._device, dtype=target.dtype, copy=True)
                _set(module, name.removeprefix(prefix), value)

    def names_under(self, prefix: str) -> list[str]:
        return [name for name in self._places if name.startswith(prefix)]


class BlockStream:
    """Brings one block before it computes and lets it go afterwards."""

    def __init__(self, part: ModulePart, name: str, block: nn.Module) -> None:
        self.name = name
        self._part = part
        self._names = part.names_under(f"{name}.")
        _empty(block)
        block.register_forward_pre_hook(self._bring)
        block.register_forward_hook(self._release, always_call=True)

    def _bring(self, block: nn.Module, _: Any) -> None:
        self._part.fill(block, f"{self.name}.", self._names)

    def _release(self, block: nn.Module, _: Any, __: Any) -> None:
        _empty(block)


class LoadedPart(Generic[T]):
    """Something that is loaded anew whenever it is wanted: text encoders.

    Args:
        load: Loads it.
    """

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._value: T | None = None

    def bring(self) -> None:
        self.get()

    def release(self) -> None:
        self._value = None

    def get(self) -> T:
        if self._value is None:
            self._value = self._load()
        return self._value


def _names(file: Path) -> Iterable[str]:
    with safe_open(file, framework="pt", device="cpu") as opened:
        return list(opened.keys())


def _empty(module: nn.Module) -> None:
    """Weights and saved buffers onto the meta device; what is computed when a module is made stays."""
    saved = set(module.state_dict(keep_vars=True))
    held: Mapping[str, Tensor] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    for name, value in held.items():
        if name in saved and not value.is_meta:
            with torch.inference_mode(False):
                _set(module, name, torch.empty_like(value, device="meta"))


def _set(module: nn.Module, name: str, value: Tensor) -> None:
    *path, last = name.split(".")
    owner = module.get_submodule(".".join(path))
    if last in owner._parameters:
        owner._parameters[last] = nn.Parameter(value, requires_grad=False)
    else:
        owner._buffers[last] = value
