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
from engines.footage.footage import Footage, Frame
from engines.footage.video import VideoFootage
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

    Raises: MediaError, LimitExceeded as VideoFootage. InvalidRequest naming "mask" if its size or number of frames is
        not the clip's, or if nothing in it is selected.
    """

    def __init__(self, path: Path, source: Footage, limits: Limits | None = None) -> None:
        self._video = VideoFootage(path, limits=limits, field=FIELD)
        self._is_still = self._video.info.kind == "picture"
        self._check_shape(source)
        if not any(_selected(frame).any() for frame in self._video.frames(range(self._video.count))):
            raise InvalidRequest(
                "The mask is empty: none of its pixels is brighter than half.",
                "Paint what is meant white on black.",
                FIELD,
            )

    def masks(self, wanted: range) -> Iterator[Masks]:
        """One uint8 [H, W], 0 or 255, for each of these frames of the clip."""
        if self._is_still:
            still = _selected(next(self._video.frames(range(1)))).astype(np.uint8) * np.uint8(255)
            for _ in wanted:
                yield still
            return
        for frame in self._video.frames(wanted):
            yield _selected(frame).astype(np.uint8) * np.uint8(255)

    def mattes(self, wanted: range) -> Iterator[Floats]:
        """The same as float32 [H, W], 0 or 1."""
        return (mask.astype(np.float32) / np.float32(255) for mask in self.masks(wanted))

    def _check_shape(self, source: Footage) -> None:
        mask = self._video
        if (mask.width, mask.height) != (source.width, source.height):
            raise InvalidRequest(
                f"The mask has {mask.width} × {mask.height} pixels, the clip {source.width} × {source.height}.",
                f"Save the mask with {source.width} × {source.height} pixels.",
                FIELD,
            )
        if not self._is_still and mask.count != source.count:
            raise InvalidRequest(
                f"The mask has {mask.count} frames, the clip {source.count}.",
                f"Give a mask with {source.count} frames, or a single picture that holds for all of them.",
                FIELD,
            )


def _selected(frame: Frame) -> npt.NDArray[np.bool_]:
    """At least half of full brightness: bool [H, W]."""
    half = np.iinfo(frame.dtype).max // 2 + 1
    return np.asarray(frame.astype(np.float32).mean(-1) >= half)
