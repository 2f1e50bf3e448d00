"""Structural similarity of frames.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

import numpy as np
from skimage.metrics import structural_similarity

from engines.errors import InvalidRequest
from engines.metrics.checks import Frames, check_clip, check_same_shape

WINDOW = 11  # skimage's Gaussian window at sigma 1.5


def ssim(result: Frames, reference: Frames) -> float:
    """Mean over frames, −1 … 1; 1 is equal (Wang et al. 2004: Gaussian window, σ = 1.5; mean over the colour channels).

    Args:
        result, reference: uint8 [T, H, W, 3], H and W at least 11.

    Raises: InvalidRequest on wrong or different shapes, or frames smaller than the window.
    """
    check_clip(result, "result")
    check_clip(reference, "reference")
    check_same_shape(result, reference, ("result", "reference"))
    if min(result.shape[1:3]) < WINDOW:
        raise InvalidRequest(
            f"result has frames of {result.shape[1]} × {result.shape[2]} pixels.",
            f"Give frames of at least {WINDOW} × {WINDOW} pixels.",
            field="result",
        )
    values = [
        structural_similarity(
            ours, theirs, data_range=255, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for ours, theirs in zip(result, reference, strict=True)
    ]
    return float(np.mean(values))
