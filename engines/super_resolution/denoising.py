"""Noise averaged away along motion, before a network can take it for detail.

Shape legend: h rows, w columns. Frames uint8 or uint16 [h, w, 3]; values inside are float32 on 0 … 255.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engines.footage.alignment import Floats, eight_bit, flow_to
from engines.footage.footage import Frame
from engines.footage.neighbours import Near
from engines.media.optical_flow import warp

# A median of absolute differences of Gaussian noise is this share of its standard deviation.
_MEDIAN_SHARE = 0.6745
# Differences are compared over neighbourhoods, so that a pixel is not kept out by its own noise.
_NEIGHBOURHOOD = 1.5
# Less noise than half a grey level is rounding.
_LEAST_NOISE = 0.5


def denoise(near: Near[Frame], strength: float) -> Frame:
    """The frame in the middle, averaged with its neighbours along the flow where they differ by no more than noise.

    How much noise there is comes from the frames: the median difference after alignment, which clean detail leaves near
    0, and what is rough within the frame, which another shot leaves as it is; the smaller one counts. So a clean clip
    passes unchanged, whatever the strength.

    Args:
        strength: 0 leaves the frame as it is; 1 averages all that noise can explain; up to 2 for what it cannot.
    """
    frame = near.centre
    if strength <= 0 or len(near.items) == 1:
        return frame
    own = _levels(frame)
    smooth = _smooth(frame)
    aligned = [warp(_levels(other), flow_to(smooth, _smooth(other))) for other in near.others]
    noise = strength * min(noise_within(own), *(noise_between(own, other) for other in aligned))
    if noise < _LEAST_NOISE:
        return frame
    total, weights = own.copy(), np.ones(own.shape[:2], np.float32)
    for other in aligned:
        apart = cv2.GaussianBlur(np.square(other - own).mean(-1), (0, 0), _NEIGHBOURHOOD)
        # Twice the variance is what noise on both frames explains; beyond it trust falls.
        weight = np.exp(-np.maximum(apart - 2 * noise**2, 0) / (2 * noise**2)).astype(np.float32)
        total += weight[..., None] * other
        weights += weight
    peak = np.iinfo(frame.dtype).max
    made: Frame = np.rint(total / weights[..., None] * (peak / 255)).clip(0, peak).astype(frame.dtype)
    return made


def noise_between(frame: Floats, aligned: Floats) -> float:
    """Standard deviation of the noise on one of two aligned frames, grey levels of 255."""
    brightness = np.abs((aligned - frame).mean(-1))
    # Brightness is a mean of three colours; chroma subsampling makes their noise go together, so it is taken as one.
    return float(np.median(brightness)) / _MEDIAN_SHARE / 2**0.5


def noise_within(frame: Floats) -> float:
    """Standard deviation of the noise on one frame, grey levels of 255; fine texture counts as noise, too.

    Immerkær 1996, "Fast noise variance estimation", with a median, which edges do not move.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    found = cv2.filter2D(frame.mean(-1), -1, mask)[1:-1, 1:-1]
    return float(np.median(np.abs(found))) / _MEDIAN_SHARE / 6


def _smooth(frame: Frame) -> npt.NDArray[np.uint8]:
    """What flow is sought on: noise would lead it astray."""
    return np.asarray(cv2.GaussianBlur(eight_bit(frame), (0, 0), 1.0), np.uint8)


def _levels(frame: Frame) -> Floats:
    return frame.astype(np.float32) * np.float32(255 / np.iinfo(frame.dtype).max)
