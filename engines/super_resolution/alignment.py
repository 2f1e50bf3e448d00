"""How far a neighbouring frame is to be believed where detail is added, and its flow at the enlarged size.

Shape legend: h rows, w columns; flow is float32 [h, w, 2] in pixels.
"""

from __future__ import annotations

import cv2
import numpy as np

from engines.footage.alignment import Floats, Picture, agreement, flow_to
from engines.media.optical_flow import Flow

# Grey levels of 255 at which a neighbour that lies over the frame counts 1 / e of one that equals it.
TRUSTED_DIFFERENCE = 8.0


def trust(frame: Picture, other: Picture, forward: Flow) -> Floats:
    """See `agreement`; the flow back is made here."""
    return agreement(frame, other, forward, flow_to(other, frame), TRUSTED_DIFFERENCE)


def enlarged_flow(flow: Flow, size: tuple[int, int]) -> Flow:
    """The flow of a frame `size` = (rows, columns) large, in its pixels."""
    rows, columns = size
    factor = np.array([columns / flow.shape[1], rows / flow.shape[0]], np.float32)
    larger = cv2.resize(flow, (columns, rows), interpolation=cv2.INTER_LINEAR) * factor
    return np.asarray(larger, np.float32)
