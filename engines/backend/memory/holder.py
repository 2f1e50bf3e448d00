"""A part of a model that can leave the device and come back from its files, which the system keeps in memory if it can.

A module that has left keeps its structure, hooks and small computed buffers; its weights are on the meta device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from engines.backend.blocks import block_lists
from engines.backend.memory.small_weights import SmallWeights, WeightFormat
from engines.backend.memory.stored_tensors import StoredTensors

T = TypeVar("T")
ALIGNED = 64  # bytes, of what torch allocates itself


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

    Attributes:
        streamed: Whether each block's weights are on the device only while the block computes.
        form: How its matrices lie.
    """

    def __init__(self, module: nn.Module, files: Sequence[Path], device: torch.device) -> None:
        self.module = module
        self._device = device
        self._stored = StoredTensors(files)
        self._away = False
        # As loaded they are mapped from their files. Copied only once they are to stay: a plan may never hold them all.
        self._mapped = True
        self._streams: list[BlockStream] = []
        self._small: SmallWeights | None = None

    @property
    def streamed(self) -> bool:
        return bool(self._streams)

    @property
    def form(self) -> WeightFormat:
        return WeightFormat.AS_COMPUTED if self._small is None else self._small.form

    def lay(self, streamed: bool, form: WeightFormat) -> None:
        """How its weights lie from now on. What lies otherwise leaves first, so nothing of an earlier way is left."""
        if (streamed, form) == (self.streamed, self.form):
            return
        self.release()
        for stream in self._streams:
            stream.undo()
        self._streams = []
        if self._small is not None:
            self._small.undo()
        self._small = None if form is WeightFormat.AS_COMPUTED else SmallWeights(self.module, form)
        if streamed:
            self._streams = [BlockStream(self, name, block) for name, block in _blocks(self.module)]

    def bring(self) -> None:
        if self._away:
            streamed = tuple(stream.prefix for stream in self._streams)
            self.fill(self.module, "", (name for name in self._stored.names if not name.startswith(streamed)))
            self._away = False
        elif self._mapped:
            with_own_memory(self.module)
        self._mapped = False

    def release(self) -> None:
        if not self._away:
            self.empty(self.module, "")
            self._away = True

    def fill(self, module: nn.Module, prefix: str, names: Iterable[str]) -> None:
        """Weights of these full names into a module whose own names come after the prefix."""
        own: dict[str, Tensor] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        for name in names:
            target = own.get(name.removeprefix(prefix))
            if target is None:
                continue
            with torch.inference_mode(False):  # weights outlive the call that brings them
                value = self._stored.read(name).to(device=self._device, dtype=target.dtype)
                if self._small is not None and name in self._small:
                    self._small.hold(name, value)
                else:
                    _set(module, name.removeprefix(prefix), value)

    def empty(self, module: nn.Module, prefix: str) -> None:
        """The same module's weights away."""
        _empty(module)
        if self._small is not None:
            self._small.drop(prefix)

    def names_under(self, prefix: str) -> list[str]:
        return [name for name in self._stored.names if name.startswith(prefix)]


def with_own_memory(module: nn.Module) -> nn.Module:
    """The module with weights that begin where the allocator puts them.

    Mapped from a file they begin anywhere, and on some CPUs (seen on an AMD EPYC) a product's last bit depends on that:
    weights that left and were filled again would give other frames.
    """
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.device.type == "cpu" and tensor.data_ptr() % ALIGNED:
            with torch.inference_mode(False):  # weights outlive the call that brings them
                tensor.data = tensor.data.clone()
    return module


class BlockStream:
    """Brings one block before it computes and lets it go afterwards.

    Attributes:
        prefix: Of the block's names.
    """

    def __init__(self, part: ModulePart, name: str, block: nn.Module) -> None:
        self.prefix = f"{name}."
        self._part = part
        self._names = part.names_under(self.prefix)
        self._hooks = (
            block.register_forward_pre_hook(self._bring),
            block.register_forward_hook(self._release, always_call=True),
        )

    def undo(self) -> None:
        for hook in self._hooks:
            hook.remove()

    def _bring(self, block: nn.Module, _: Any) -> None:
        self._part.fill(block, self.prefix, self._names)

    def _release(self, block: nn.Module, _: Any, __: Any) -> None:
        self._part.empty(block, self.prefix)


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


def _blocks(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, blocks in block_lists(module):
        yield from ((f"{name}.{index}", block) for index, block in enumerate(blocks))


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
