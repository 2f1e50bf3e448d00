"""Footage without a thing, or with it elsewhere, larger or twice.

Shape legend: H rows, W columns; pictures float32 [H, W, 3], 0 … 1; mattes float32 [H, W], 1 the thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from engines.footage.alignment import Floats, in_depth_of, unit
from engines.footage.footage import Footage, Frame
from engines.selection.background import BackgroundBehind, Behind, Mattes

# Pixels of 96 around a hole that are looked at to paint it.
REACH = 3 / 96
LEAST_MATTE = 1e-3


@dataclass(frozen=True)
class Move:
    """Where the thing goes, from where it is in each frame: it keeps its own motion.

    Attributes:
        right, down: Pixels.
        scale: About its middle.
        copy: Whether it also stays where it was.
    """

    right: float = 0.0
    down: float = 0.0
    scale: float = 1.0
    copy: bool = False


class Rearranged:
    """A stage: see Footage. Without a move the thing is removed.

    What other frames show of the background behind the thing is put there; what none shows is painted over from around
    it (Telea 2004, "An image inpainting technique based on the fast marching method").

    Args:
        source: The clip.
        mattes: Where the thing is.
        move: None removes it.
    """

    def __init__(self, source: Footage, mattes: Mattes, move: Move | None = None) -> None:
        self._source, self._mattes, self._move = source, mattes, move
        self._behind = BackgroundBehind(source, mattes)
        self.height, self.width, self.fps, self.count = source.height, source.width, source.fps, source.count

    def frames(self, wanted: range) -> Iterator[Frame]:
        if self._move is None:
            for frame, behind in zip(self._source.frames(wanted), self._behind.frames(wanted), strict=True):
                yield in_depth_of(frame, painted(behind))
            return
        for frame, matte, under in zip(
            self._source.frames(wanted), self._mattes.mattes(wanted), self._under(wanted), strict=True
        ):
            yield in_depth_of(frame, moved(unit(frame), matte, under, self._move))

    def _under(self, wanted: range) -> Iterator[Floats]:
        """What the moved thing is laid over."""
        if self._move is not None and self._move.copy:
            return (unit(frame) for frame in self._source.frames(wanted))
        return (painted(behind) for behind in self._behind.frames(wanted))


def painted(behind: Behind) -> Floats:
    """The background with its holes painted over."""
    if not behind.hole.any():
        return behind.frame
    eight = np.rint(behind.frame * 255).astype(np.uint8)
    radius = max(2, round(REACH * max(behind.hole.shape)))
    filled = cv2.inpaint(eight, behind.hole.astype(np.uint8) * 255, radius, cv2.INPAINT_TELEA)
    made = behind.frame.copy()
    made[behind.hole] = filled[behind.hole].astype(np.float32) / 255
    return made


def moved(picture: Floats, matte: Floats, under: Floats, move: Move) -> Floats:
    """The thing of `picture` laid over `under` where the move puts it."""
    middle = middle_of(matte)
    if middle is None:
        return under
    x, y = middle
    motion = np.array([
        [move.scale, 0.0, x * (1 - move.scale) + move.right], [0.0, move.scale, y * (1 - move.scale) + move.down],
    ])  # fmt: skip
    rows, columns = matte.shape
    # Colours weighed by the matte: at the soft edge the old background would come along.
    weighed = cv2.warpAffine(picture * matte[..., None], motion, (columns, rows), flags=cv2.INTER_LINEAR)
    share = cv2.warpAffine(matte, motion, (columns, rows), flags=cv2.INTER_LINEAR)
    return np.asarray(weighed + (1 - share[..., None]) * under, np.float32)


def middle_of(matte: Floats) -> tuple[float, float] | None:
    """(x, y) of the middle of what the matte covers; None if that is nothing."""
    total = float(matte.sum())
    if total < LEAST_MATTE * matte.size:
        return None
    rows, columns = np.indices(matte.shape, np.float32)
    return float((columns * matte).sum() / total), float((rows * matte).sum() / total)
