"""Tensors of safetensors files, read one at a time into memory of their own.

safetensors' own reader maps a file: what was looked at counts as the process's memory until the last tensor of it has
gone, which is what a model that comes and goes in parts must not do. The format: eight bytes with the length of a
JSON header (name → dtype, shape, begin and end), then the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engines.backend.memory.weights import tensor_entries

_FORMATS = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "I64": torch.int64, "I32": torch.int32,
    "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


@dataclass(frozen=True)
class _Place:
    file: Path
    dtype: torch.dtype
    shape: tuple[int, ...]
    begin: int
    length: int


class StoredTensors:
    """The tensors of some files by name.

    Raises: ValueError for a file that is no safetensors file, or a format that is not known.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._places: dict[str, _Place] = {}
        for file in files:
            for name, entry in tensor_entries(file):
                if entry.format not in _FORMATS:
                    raise ValueError(f"{file} holds {name} in the unknown format {entry.format}")
                dtype = _FORMATS[entry.format]
                self._places[name] = _Place(file, dtype, entry.shape, entry.begin, entry.end - entry.begin)

    @property
    def names(self) -> list[str]:
        return list(self._places)

    def read(self, name: str) -> Tensor:
        """On the CPU, as it is stored. Raises OSError if the file has gone or is shorter than it was."""
        place = self._places[name]
        tensor = torch.empty(place.shape, dtype=place.dtype)
        if place.length != tensor.nbytes:
            raise ValueError(f"{place.file} gives {place.length} bytes to {name}, which has {tensor.nbytes}")
        with place.file.open("rb") as opened:
            opened.seek(place.begin)
            # mypy takes an array for no buffer
            read = opened.readinto(tensor.view(-1).view(torch.uint8).numpy()) if place.length else 0  # type: ignore[arg-type]
        if read != place.length:
            raise OSError(f"{place.file} ends in the middle of {name}")
        return tensor
