"""Tensors of a run by where they were seen, within a budget: what one pass leaves for another.

Shapes are those of the tensors that are put in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from engines.backend.attention.calls import Kind
from engines.byte_sizes import spoken_bytes
from engines.errors import ResourceError
from engines.sampling.site import Site

Key = tuple[int, int, str, int, int | None, Kind, str]


@dataclass
class FeatureStore:
    """On the CPU, so that a GPU's memory is the model's.

    Attributes:
        budget: Bytes that may be kept.
        dtype: What is kept in.
    """

    budget: int
    dtype: torch.dtype = torch.float16
    _kept: dict[Key, Tensor] = field(default_factory=dict)
    _bytes: int = 0

    def put(self, at: Site, kind: Kind, name: str, tensor: Tensor) -> None:
        """Keeps a copy. Raises ResourceError once the budget is spent."""
        copy = tensor.detach().to("cpu", self.dtype, copy=True)
        key = _key(at, kind, name)
        spent = self._bytes + copy.nbytes - (self._kept[key].nbytes if key in self._kept else 0)
        if spent > self.budget:
            raise ResourceError(
                f"Keeping what the model sees takes more than {spoken_bytes(self.budget)}.",
                "Choose fewer frames, a smaller size or fewer steps.",
                field="frames",
            )
        self._kept[key], self._bytes = copy, spent

    def get(self, at: Site, kind: Kind, name: str, like: Tensor) -> Tensor:
        """What was kept at this place, on the device and in the format of `like`. Raises KeyError."""
        return self._kept[_key(at, kind, name)].to(like)

    def __contains__(self, place: tuple[Site, Kind, str]) -> bool:
        return _key(*place) in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        return self._bytes


def _key(at: Site, kind: Kind, name: str) -> Key:
    return at.interval, at.stage, at.branch, at.window, at.layer, kind, name
