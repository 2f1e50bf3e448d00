"""A mask drawn over its frame, for somebody who looks whether it is right.

Shape legend: H rows, W columns.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engines.footage.alignment import Floats, Picture, eight_bit
from engines.footage.footage import Frame

# A colour that neither skin, grass nor sky has; the outline is white on black, seen on every ground.
TINT = (255, 0, 170)
STRENGTH = 0.45
# Of the outline, as a share of the longer side.
THICKNESS = 1 / 400


def overlaid(frame: Frame, mask: Floats | npt.NDArray[np.uint8], tint: tuple[int, int, int] = TINT) -> Picture:
    """The frame with the selected part tinted and outlined: uint8 [H, W, 3].

    Args:
        frame: RGB [H, W, 3], uint8 or uint16; it is not changed.
        mask: [H, W], float32 0 … 1 or uint8 0 … 255.
        tint: RGB.

    Raises: ValueError if mask and frame differ in size.
    """
    if mask.shape != frame.shape[:2]:
        raise ValueError(f"a mask {list(mask.shape)} does not fit a frame {list(frame.shape)}")
    matte = mask.astype(np.float32) / (255 if mask.dtype == np.uint8 else 1)
    share = (STRENGTH * matte)[..., None]
    shown = np.rint((1 - share) * eight_bit(frame) + share * np.array(tint, np.float32)).astype(np.uint8)
    outlines, _ = cv2.findContours((matte >= 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    thick = max(1, round(THICKNESS * max(matte.shape)))
    if min(matte.shape) >= 128:  # on a thumbnail two lines would hide the thing
        cv2.drawContours(shown, outlines, -1, (0, 0, 0), thick + 2)
    cv2.drawContours(shown, outlines, -1, (255, 255, 255), thick)
    return shown
