"""Sprites as premultiplied pyramids, so that a small drawing is area-filtered and not aliased.

Shape legend: S side of a pyramid level; RGBA is float32 0…1, premultiplied by alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from engines.diorama.vocabulary import sprite_file

LEVEL_SIZES = (192, 96, 64, 48, 32)
Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sprite:
    """A picture at several sizes; `levels[k]` is [S, S, 4]."""

    name: str
    levels: tuple[Array, ...]

    def level_for(self, side: float) -> Array:
        """The smallest level that is not smaller than `side` pixels (the largest if none is)."""
        fitting = [level for level in self.levels if level.shape[0] >= side]
        return fitting[-1] if fitting else self.levels[0]


@cache
def load_sprite(name: str) -> Sprite:
    """Reads, crops to what is visible, squares and scales the picture of a noun, of the vocabulary or outside of it."""
    path = sprite_file(name)
    picture = np.asarray(Image.open(path).convert("RGBA"), dtype=np.float32) / 255.0
    visible = np.argwhere(picture[..., 3] > 0.05)
    (top, left), (bottom, right) = visible.min(0), visible.max(0) + 1
    picture = picture[top:bottom, left:right]
    picture[..., :3] *= picture[..., 3:]
    side = max(picture.shape[:2])
    pad_y, pad_x = side - picture.shape[0], side - picture.shape[1]
    padded = cv2.copyMakeBorder(
        picture, pad_y // 2, pad_y - pad_y // 2, pad_x // 2, pad_x - pad_x // 2, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0)
    )
    levels = tuple(_with_border(cv2.resize(padded, (size, size), interpolation=cv2.INTER_AREA)) for size in LEVEL_SIZES)
    return Sprite(name, levels)


def _with_border(level: npt.NDArray[Any]) -> Array:
    """One transparent pixel around, so that linear filtering fades out at the edge."""
    inner = level.shape[0] - 2
    shrunk = cv2.resize(level, (inner, inner), interpolation=cv2.INTER_AREA)
    bordered = np.zeros_like(level, dtype=np.float32)
    bordered[1:-1, 1:-1] = shrunk
    return bordered
