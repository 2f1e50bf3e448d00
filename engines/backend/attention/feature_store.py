"""Tensors of a run by where they were seen, within a budget: what one pass leaves for another.

Beyond the budget in memory the least recently used go to files, if there is a folder (safetensors, memory-mapped).
Shapes are those of the tensors that are put in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from engines.backend.attention.calls import Kind
from engines.byte_sizes import spoken_bytes
from engines.errors import ResourceError
from engines.free_disk import require_room
from engines.sampling.site import Site

When = tuple[int, int]
Key = tuple[When, str, int, int | None, Kind, str]
FEWER = "choose fewer frames, a smaller size or fewer steps"


def by_sigma(at: Site) -> When:
    """By the noise level that was evaluated, to 1e-6: what is read on the way down was seen at the same level."""
    return round(at.sigma * 1e6), 0


def by_interval(steps: int, rising: bool) -> Callable[[Site], When]:
    """By the noisier end of the interval and the evaluation within it, as RF-Edit's released code keys.

    A first evaluation then meets what was seen at the other, cleaner end of its interval.

    Args:
        steps: Of the run.
        rising: Whether the run goes up (inversion) or down.
    """
    return lambda at: (steps - 1 - at.interval if rising else at.interval, at.stage)


@dataclass(frozen=True)
class Spill:
    """Where tensors go that memory has no room for.

    Attributes:
        folder: Of one run; its files are deleted with the store.
        budget: Bytes.
    """

    folder: Path
    budget: int


class FeatureStore:
    """On the CPU, so that a GPU's memory is the model's. Closed (`with`), it forgets everything, files included.

    Args:
        budget: Bytes that may be kept in memory.
        dtype: What is kept in.
        spill: None refuses what is beyond the budget.
    """

    def __init__(self, budget: int, dtype: torch.dtype = torch.float16, spill: Spill | None = None) -> None:
        self._budget, self._dtype, self._spill = budget, dtype, spill
        self._kept: OrderedDict[Key, Tensor] = OrderedDict()
        self._spilled: dict[Key, tuple[Path, int]] = {}
        self._written = 0
        self.nbytes = 0

    def __enter__(self) -> FeatureStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.clear()

    @property
    def spilled_bytes(self) -> int:
        """In files."""
        return sum(size for _, size in self._spilled.values())

    def require(self, needed: int) -> None:
        """Before a run: raises ResourceError if so many bytes will not fit."""
        beyond = needed - self._budget
        if beyond <= 0:
            return
        if self._spill is None or beyond > self._spill.budget:
            allowed = self._budget + (0 if self._spill is None else self._spill.budget)
            raise ResourceError(
                f"Keeping what the model sees takes {spoken_bytes(needed)}; {spoken_bytes(allowed)} are allowed.",
                _instruction(FEWER),
                field="frames",
            )
        require_room(beyond, self._spill.folder, "Keeping what the model sees", FEWER, "frames")

    def put(self, at: Site, kind: Kind, name: str, tensor: Tensor, when: Callable[[Site], When] = by_sigma) -> None:
        """Keeps a copy; the last of the same place stands. Raises ResourceError once all budgets are spent."""
        copy, key = tensor.detach().to("cpu", self._dtype, copy=True), _key(at, kind, name, when)
        self._forget(key)
        while self.nbytes + copy.nbytes > self._budget:
            if self._spill is None or not self._kept:
                raise ResourceError(
                    f"Keeping what the model sees takes more than {spoken_bytes(self._budget)}.",
                    _instruction(FEWER),
                    field="frames",
                )
            self._spill_oldest(self._spill)
        self._kept[key] = copy
        self.nbytes += copy.nbytes

    def get(self, at: Site, kind: Kind, name: str, like: Tensor, when: Callable[[Site], When] = by_sigma) -> Tensor:
        """What was kept at this place, on the device and in the format of `like`. Raises KeyError."""
        key = _key(at, kind, name, when)
        if key in self._spilled:
            with safe_open(self._spilled[key][0], framework="pt") as file:
                return torch.as_tensor(file.get_tensor("kept")).to(like)
        self._kept.move_to_end(key)
        return self._kept[key].to(like)

    def has(self, at: Site, kind: Kind, name: str, when: Callable[[Site], When] = by_sigma) -> bool:
        key = _key(at, kind, name, when)
        return key in self._kept or key in self._spilled

    def __len__(self) -> int:
        return len(self._kept) + len(self._spilled)

    def clear(self) -> None:
        """Forgets everything and deletes its files."""
        for key in [*self._kept, *self._spilled]:
            self._forget(key)

    def _forget(self, key: Key) -> None:
        if key in self._kept:
            self.nbytes -= self._kept.pop(key).nbytes
        if key in self._spilled:
            self._spilled.pop(key)[0].unlink(missing_ok=True)

    def _spill_oldest(self, spill: Spill) -> None:
        key, tensor = self._kept.popitem(last=False)
        self.nbytes -= tensor.nbytes
        if self.spilled_bytes + tensor.nbytes > spill.budget:
            raise ResourceError(
                f"Keeping what the model sees takes more than {spoken_bytes(spill.budget)} on the disk, beside "
                f"{spoken_bytes(self._budget)} of memory.",
                _instruction(FEWER),
                field="frames",
            )
        spill.folder.mkdir(parents=True, exist_ok=True)
        path = spill.folder / f"kept_{self._written}.safetensors"
        self._written += 1
        save_file({"kept": tensor.contiguous()}, path)
        self._spilled[key] = path, tensor.nbytes


def _key(at: Site, kind: Kind, name: str, when: Callable[[Site], When]) -> Key:
    return when(at), at.branch, at.window, at.layer, kind, name


def _instruction(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."
