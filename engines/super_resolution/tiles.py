"""A network over a frame of any size, tile by tile, in constant memory.

Shape legend: h rows, w columns; H = scale · h, W = scale · w; B tiles of one call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from engines.super_resolution.networks import Network

# Large enough that the overlap costs little, small enough that 64 channels of it stay near the cores.
TILE = 320
# Tiles of one call on a graphics card; a processor is kept as busy by one.
BATCH = 8


@dataclass(frozen=True)
class Cut:
    """Along one side: what a tile sees and what it gives, pixels of the input."""

    seen: slice
    given: slice


@torch.inference_mode()
def enlarge(network: Network, frame: Tensor, tile: int = TILE, overlap: int | None = None) -> Tensor:
    """A frame through the network.

    Every pixel comes from a tile that saw everything around it up to the overlap: where that is no smaller than the
    network's reach, the result is that of the whole frame.

    Args:
        frame: [1, 3, h, w], 0 … 1, in the network's number format and on its device.
        tile: Side of a tile in pixels of the input, overlap included.
        overlap: Pixels that a tile sees beyond what it gives; None takes the network's reach.

    Returns: float32 [1, 3, H, W], not clamped.
    Raises: ValueError if the tile has no inside.
    """
    overlap = network.reach if overlap is None else overlap
    if tile <= 2 * overlap:
        raise ValueError(f"a tile of {tile} pixels has no inside with an overlap of {overlap}")
    height, width = frame.shape[2:]
    scale = network.scale
    out = torch.empty(1, 3, height * scale, width * scale, device=frame.device)
    cuts = iter([(y, x) for y in _cuts(height, tile, overlap) for x in _cuts(width, tile, overlap)])
    batch = 1 if frame.device.type == "cpu" else BATCH
    while together := list(islice(cuts, batch)):
        # All tiles of a frame have one shape.
        parts = torch.cat([frame[:, :, y.seen, x.seen] for y, x in together])
        made = network(parts.contiguous(memory_format=torch.channels_last))
        for row, (y, x) in enumerate(together):
            inside = made[row, :, _within(y, scale), _within(x, scale)]
            out[0, :, _scaled(y.given, scale), _scaled(x.given, scale)] = inside.float()
    return out


def _within(cut: Cut, scale: int) -> slice:
    """What is given, in the tile's own enlarged pixels."""
    return _scaled(slice(cut.given.start - cut.seen.start, cut.given.stop - cut.seen.start), scale)


def _scaled(part: slice, scale: int) -> slice:
    return slice(part.start * scale, part.stop * scale)


def _cuts(length: int, tile: int, overlap: int) -> Iterator[Cut]:
    """Tiles of one length whose given parts cover the side without a gap and without meeting twice."""
    if length <= tile:
        yield Cut(slice(0, length), slice(0, length))
        return
    inside = tile - 2 * overlap
    pieces = -(-(length - 2 * overlap) // inside)
    covered = 0
    for piece in range(pieces):
        start = min(piece * inside, length - tile)
        until = length if piece == pieces - 1 else start + tile - overlap
        yield Cut(slice(start, start + tile), slice(covered, until))
        covered = until
