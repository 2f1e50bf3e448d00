"""A picture in another shape, never stretched: cut to it, or whole with its edges continued. No torch here.

Shape legend: H rows, W columns.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

Framing = Literal["crop", "pad"]
Picture = npt.NDArray[np.uint8]


def framed(picture: Picture, height: int, width: int, framing: Framing) -> Picture:
    """uint8 [height, width, 3], never stretched: cut in the middle, or whole with its edges continued."""
    rows, columns = picture.shape[:2]
    scales = height / rows, width / columns
    scale = max(scales) if framing == "crop" else min(scales)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    if framing == "crop":
        top, left = (small.shape[0] - height) // 2, (small.shape[1] - width) // 2
        top, left = max(0, top), max(0, left)
        small = small[top : top + height, left : left + width]
    below, right = height - small.shape[0], width - small.shape[1]
    borders = (below // 2, below - below // 2, right // 2, right - right // 2)
    return np.asarray(cv2.copyMakeBorder(small, *borders, cv2.BORDER_REPLICATE), np.uint8)
