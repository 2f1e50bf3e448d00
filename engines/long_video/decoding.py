"""A film's latents to frames in constant memory: part after part, each decoded with its neighbours.

Shape legend: latents float32 [1, C, S, h, w]; TIME frames of a slot, but one of the film's first.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from engines.backend.families.base import Family, Frames

# Slots that a decoder sees around a part. The bundled one looks back 12 and not ahead: with them frames are those of
# the film decoded as one. Decoders that look ahead (LTX) blend into what follows.
BEFORE, AFTER = 12, 4
PART = 24


def decoded_film(family: Family, latents: Tensor, part: int = PART) -> Iterator[Frames]:
    """uint8 [t, H, W, 3] in order, all TIME·(S − 1) + 1 frames.

    Args:
        part: Slots that are decoded at once, without their neighbours.
    """
    for first in range(0, latents.shape[2], part):
        yield decoded_slots(family, latents, range(first, min(first + part, latents.shape[2])))


def decoded_slots(family: Family, latents: Tensor, wanted: range) -> Frames:
    """The frames of some slots of a film, uint8 [t, H, W, 3]."""
    slots, time = latents.shape[2], family.card.facts.temporal_compression
    start, end = max(0, wanted.start - BEFORE), min(slots, wanted.stop + AFTER)
    frames = np.concatenate(list(family.decode(latents[:, :, start:end])))
    count = len(wanted) * time if wanted.start else (wanted.stop - 1) * time + 1
    last = len(frames) - (end - wanted.stop) * time
    return frames[last - count : last]
