"""How much fine detail a picture shows, right or wrong.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

import numpy as np

from engines.errors import InvalidRequest
from engines.metrics.checks import Frames, check_clip

_BT709_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def gradient_energy(frames: Frames) -> float:
    """Mean squared difference of neighbouring pixels' brightness, across and down together, on values 0 … 1.

    Twice as steep gives four times as much. It says how sharp, not how right: set it beside PSNR, and compare its
    distance to the truth's, because noise and ringing raise it, too.

    Args:
        frames: uint8 [T, H, W, 3], H and W at least 2.

    Raises: InvalidRequest on a wrong shape or a single row or column.
    """
    check_clip(frames, "frames")
    if min(frames.shape[1:3]) < 2:
        raise InvalidRequest(
            f"frames are of {frames.shape[1]} × {frames.shape[2]} pixels.",
            "Give frames of at least 2 × 2 pixels.",
            field="frames",
        )
    energies = []
    for frame in frames:
        luma = frame.astype(np.float32) @ _BT709_LUMA / 255
        across, down = np.diff(luma, axis=1), np.diff(luma, axis=0)
        energies.append(np.square(across).mean(dtype=np.float64) + np.square(down).mean(dtype=np.float64))
    return float(np.mean(energies))
