"""Neighbouring frames laid over the one that is looked at, with how far each pixel is to be believed.

Shape legend: h rows, w columns; flow is float32 [h, w, 2] in pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engines.footage.footage import Frame
from engines.media.optical_flow import SMALLEST_SIDE, Flow, optical_flow, visible_in_both, warp

Floats = npt.NDArray[np.float32]
# Grey levels of 255 at which a neighbour that lies over the frame counts 1 / e of one that equals it.
TRUSTED_DIFFERENCE = 8.0


def eight_bit(frame: Frame) -> npt.NDArray[np.uint8]:
    """For optical flow, which looks at bytes."""
    return frame if frame.dtype == np.uint8 else (frame >> 8).astype(np.uint8)  # type: ignore[return-value]


def flow_to(frame: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> Flow:
    """Flow from a frame to another one; frames too small for it stand still."""
    if min(frame.shape[:2]) < SMALLEST_SIDE:
        return np.zeros((*frame.shape[:2], 2), np.float32)
    return optical_flow(frame, other)


def trust(frame: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8], forward: Flow) -> Floats:
    """How far `other`, looked up along the flow, shows what `frame` shows: float32 [h, w], 0 … 1.

    0 where flow there and back do not cancel (occlusions, a cut); falls with the difference of the pictures.
    """
    seen = visible_in_both(forward, flow_to(other, frame)).astype(np.float32)
    difference = np.abs(warp(other, forward) - frame.astype(np.float32)).mean(-1)
    weight: Floats = seen * np.exp(-np.square(difference / TRUSTED_DIFFERENCE))
    return weight


def enlarged_flow(flow: Flow, size: tuple[int, int]) -> Flow:
    """The flow of a frame `size` = (rows, columns) large, in its pixels."""
    rows, columns = size
    factor = np.array([columns / flow.shape[1], rows / flow.shape[0]], np.float32)
    larger = cv2.resize(flow, (columns, rows), interpolation=cv2.INTER_LINEAR) * factor
    return np.asarray(larger, np.float32)
