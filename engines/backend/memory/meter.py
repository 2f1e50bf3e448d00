"""How many bytes of tensors live at once, counted storage by storage, on any device and on none (meta tensors)."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class StorageMeter(TorchDispatchMode):
    """Counts what operations make while it is entered; a view has no bytes of its own.

    What an operation needs inside of itself and gives back at its end is not seen.

    Args:
        budget: Bytes. Where more would live, CUDA's own error is raised: what fits is tested without a GPU.

    Attributes:
        live: Bytes that live now.
        peak: Most that ever lived at once.
    """

    counts_meta = False  # what has no content takes no memory; a dry run counts just that

    def __init__(self, budget: int | None = None) -> None:
        super().__init__()
        self.budget = budget
        self.live = 0
        self.peak = 0
        self._known: dict[int, tuple[weakref.ref[torch.UntypedStorage], int]] = {}

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        made = func(*args, **(kwargs or {}))
        self.count(leaf for leaf in tree_leaves(made) if isinstance(leaf, Tensor))
        return made

    def count(self, tensors: Iterable[Tensor]) -> None:
        """Counts tensors that were made before, weights for example. Raises torch.OutOfMemoryError over the budget."""
        for tensor in tensors:
            if tensor.is_meta is self.counts_meta:
                self._see(tensor.untyped_storage())

    def _see(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._known:
            return
        size = storage.nbytes()
        if self.budget is not None and self.live + size > self.budget:
            raise torch.OutOfMemoryError(
                f"CUDA out of memory. Tried to allocate {size / 2**20:.2f} MiB. Of the budget of "
                f"{self.budget / 2**20:.2f} MiB, {self.live / 2**20:.2f} MiB are in use."
            )
        self._known[key] = (weakref.ref(storage, lambda _, key=key: self._forget(key)), size)  # type: ignore[misc]
        self.live += size
        self.peak = max(self.peak, self.live)

    def _forget(self, key: int) -> None:
        self.live -= self._known.pop(key)[1]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: CUDA's error, or what the CPU's allocator says."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
