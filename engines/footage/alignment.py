"""Neighbouring frames laid over one that is looked at, with how far each pixel is to be believed.

Shape legend: h rows, w columns; flow is float32 [h, w, 2] in pixels.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from engines.footage.footage import Frame
from engines.media.optical_flow import SMALLEST_SIDE, Flow, optical_flow, visible_in_both, warp

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]


def eight_bit(frame: Frame) -> Picture:
    """[H, W, 3] as bytes, which is what flow, networks and thumbnails look at."""
    return frame if frame.dtype == np.uint8 else (frame >> 8).astype(np.uint8)  # type: ignore[return-value]


def unit(frame: Frame) -> Floats:
    """[H, W, 3] as float32 0 … 1, whatever its depth."""
    return np.asarray(frame.astype(np.float32) / np.iinfo(frame.dtype).max, np.float32)


def in_depth_of(frame: Frame, picture: Floats) -> Frame:
    """A picture of 0 … 1 as a frame of the same depth as `frame`."""
    highest = np.iinfo(frame.dtype).max
    return cast(Frame, np.rint(picture.clip(0, 1) * highest).astype(frame.dtype))


def flow_to(picture: Picture, other: Picture) -> Flow:
    """Flow from a picture to another one; what is too small for it stands still."""
    if min(picture.shape[:2]) < SMALLEST_SIDE:
        return np.zeros((*picture.shape[:2], 2), np.float32)
    return optical_flow(picture, other)


def agreement(picture: Picture, other: Picture, there: Flow, back: Flow, trusted_difference: float) -> Floats:
    """How far `other`, looked up along the flow `there`, shows what `picture` shows: float32 [h, w], 0 … 1.

    0 where flow there and back do not cancel (what is hidden in one of the two, a cut); falls with the difference of
    the colours.

    Args:
        trusted_difference: Grey levels of 255 at which a frame over another counts 1 / e of one that equals it.
    """
    seen = visible_in_both(there, back).astype(np.float32)
    difference = np.abs(warp(other, there) - picture.astype(np.float32)).mean(-1)
    weight: Floats = seen * np.exp(-np.square(difference / trusted_difference))
    return weight
