"""Where a transformer keeps the blocks that it consists of."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn


def block_lists(transformer: nn.Module) -> Iterator[tuple[str, nn.ModuleList]]:
    """(name, blocks) of every list of blocks, in the transformer's own order: the main one, and those beside it."""
    for name, blocks in transformer.named_children():
        if isinstance(blocks, nn.ModuleList) and name.endswith("blocks"):
            yield name, blocks


def block_count(transformer: nn.Module) -> int:
    """Of the main list."""
    return len(next(block_lists(transformer))[1])
