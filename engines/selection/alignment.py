"""Frames at the size that is worked at, and how far one frame, laid over another along the flow, is to be believed.

Shape legend: H rows, W columns of a frame; h, w of a picture that is worked on. Flow is float32 [h, w, 2] in pixels.
"""

from __future__ import annotations

from typing import TypeVar, cast

import cv2
import numpy as np
import numpy.typing as npt

from engines.footage.footage import Frame
from engines.media.optical_flow import SMALLEST_SIDE, Flow, optical_flow, visible_in_both, warp

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
Image = TypeVar("Image", Floats, Picture)
# Grey levels of 255 at which a frame that lies over another one counts 1 / e of one that equals it.
TRUSTED_DIFFERENCE = 12.0


def eight_bit(frame: Frame) -> Picture:
    """[H, W, 3] as bytes, which is what flow, GrabCut and the network look at."""
    return frame if frame.dtype == np.uint8 else (frame >> 8).astype(np.uint8)  # type: ignore[return-value]


def resized(picture: Image, size: tuple[int, int]) -> Image:
    """A picture or mask [H, W, …] in `size` = (rows, columns): areas averaged downwards, straight lines upwards."""
    rows, columns = size
    if picture.shape[:2] == size:
        return picture
    smaller = rows * columns < picture.shape[0] * picture.shape[1]
    made = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return cast(Image, made)


def within(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(rows, columns) of the same shape whose longer side is at most `longest`."""
    factor = min(1.0, longest / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def flow_to(picture: Picture, other: Picture) -> Flow:
    """Flow from a picture to another one; what is too small for it stands still."""
    if min(picture.shape[:2]) < SMALLEST_SIDE:
        return np.zeros((*picture.shape[:2], 2), np.float32)
    return optical_flow(picture, other)


def agreement(picture: Picture, other: Picture, there: Flow, back: Flow) -> Floats:
    """How far `other`, looked up along the flow `there`, shows what `picture` shows: float32 [h, w], 0 … 1.

    0 where flow there and back do not cancel (what is hidden in one of the two, a cut); falls with the difference of
    the colours.
    """
    seen = visible_in_both(there, back).astype(np.float32)
    difference = np.abs(warp(other, there) - picture.astype(np.float32)).mean(-1)
    weight: Floats = seen * np.exp(-np.square(difference / TRUSTED_DIFFERENCE))
    return weight
