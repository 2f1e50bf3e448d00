"""A mask that somebody brings, as a video, a picture sequence or one picture for all frames. White is selected.

Shape legend: H rows, W columns of the clip.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.errors import InvalidRequest
from engines.footage.alignment import Floats
from engines.footage.beside import FrameByFrame
from engines.footage.footage import Footage, Frame
from engines.media.limits import Limits

Masks = npt.NDArray[np.uint8]
FIELD = "mask"


class MaskVideo:
    """An uploaded mask, checked against its clip.

    Compression leaves greys at the edges and noise in the black: at least half of full brightness is selected.

    Args:
        path: A video, GIF, picture, or pictures in a zip file or folder.
        source: The clip that it is for.
        limits: Checked before decoding.

    Raises: as FrameByFrame, naming "mask"; InvalidRequest if nothing in it is selected.
    """

    def __init__(self, path: Path, source: Footage, limits: Limits | None = None) -> None:
        self._given = FrameByFrame(path, source, FIELD, "mask", limits)
        if not any(_selected(frame).any() for frame in self._given.own_frames()):
            raise InvalidRequest(
                "The mask is empty: none of its pixels is brighter than half.",
                "Paint what is meant white on black.",
                FIELD,
            )

    def masks(self, wanted: range) -> Iterator[Masks]:
        """One uint8 [H, W], 0 or 255, for each of these frames of the clip."""
        return (_selected(frame).astype(np.uint8) * np.uint8(255) for frame in self._given.frames(wanted))

    def mattes(self, wanted: range) -> Iterator[Floats]:
        """The same as float32 [H, W], 0 or 1."""
        return (mask.astype(np.float32) / np.float32(255) for mask in self.masks(wanted))


def _selected(frame: Frame) -> npt.NDArray[np.bool_]:
    """At least half of full brightness: bool [H, W]."""
    half = np.iinfo(frame.dtype).max // 2 + 1
    return np.asarray(frame.astype(np.float32).mean(-1) >= half)
