"""A rough matte laid to the edges of its picture, at the picture's full size.

Shape legend: H rows, W columns of the picture; h, w of the rough matte; all values 0 … 1 in float32.
"""

from __future__ import annotations

import cv2
import numpy as np

from engines.footage.alignment import Floats, eight_bit
from engines.footage.footage import Frame
from engines.selection.sizes import resized

# Share of the longer side over which a matte may move to an edge, and the contrast (as a variance) that is an edge.
REACH = 1 / 48
EDGE_VARIANCE = 4e-4
# The filter leaves a haze of a few per cent where there is no edge to hold on to.
HAZE = 0.08


def refined(matte: Floats, frame: Frame) -> Floats:
    """The matte with the frame's edges, [H, W], 0 … 1.

    A guided filter (He, Sun, Tang 2010, "Guided Image Filtering", eqs. 19–21, colour guide): in every window the
    result is a linear function of the colours. Its coefficients are found at the matte's size and enlarged (He, Sun
    2015, "Fast Guided Filter"), so that a large frame costs little more than a small one.

    Args:
        matte: float32 [h, w], not larger than the frame.
        frame: RGB [H, W, 3], uint8 or uint16.
    """
    guide = eight_bit(frame)
    small = resized(guide, (matte.shape[0], matte.shape[1])).astype(np.float32) / np.float32(255)
    slope, offset = _coefficients(matte, small, max(2, round(REACH * max(matte.shape))))
    size = (guide.shape[0], guide.shape[1])
    lit = np.einsum("hwc,hwc->hw", resized(slope, size), guide.astype(np.float32) / 255)
    found = lit + resized(offset, size)
    return np.asarray(((found - HAZE) / (1 - 2 * HAZE)).clip(0, 1), np.float32)


def _coefficients(matte: Floats, guide: Floats, radius: int) -> tuple[Floats, Floats]:
    """slope [h, w, 3] and offset [h, w] with matte ≈ slope · colour + offset in each window."""

    def mean(values: Floats) -> Floats:
        side = 2 * radius + 1
        return np.asarray(cv2.boxFilter(values, -1, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    colour, level = mean(guide), mean(matte)
    together = mean(guide * matte[..., None]) - colour * level[..., None]
    # The covariance of the colours: six different entries of a symmetric matrix.
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    products = np.stack([guide[..., i] * guide[..., j] for i, j in pairs], -1)
    spread = [mean(np.ascontiguousarray(products[..., n])) - colour[..., i] * colour[..., j]
              for n, (i, j) in enumerate(pairs)]  # fmt: skip
    rr, rg, rb, gg, gb, bb = spread
    rr, gg, bb = rr + EDGE_VARIANCE, gg + EDGE_VARIANCE, bb + EDGE_VARIANCE
    # Cramer's rule; np.linalg.solve on 3 × 3 matrices takes ten times as long.
    adjugate = [
        [gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg],
        [rb * gb - rg * bb, rr * bb - rb * rb, rg * rb - rr * gb],
        [rg * gb - rb * gg, rg * rb - rr * gb, rr * gg - rg * rg],
    ]
    determinant = rr * adjugate[0][0] + rg * adjugate[1][0] + rb * adjugate[2][0]
    slope = np.stack([
        sum(row[k] * together[..., k] for k in range(3)) / determinant for row in adjugate
    ], -1)  # fmt: skip
    offset = level - (slope * colour).sum(-1)
    return mean(np.asarray(slope, np.float32)), mean(np.asarray(offset, np.float32))
