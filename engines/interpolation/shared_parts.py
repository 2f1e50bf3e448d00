"""What both pictures share stays as they show it: behind what moves, the pictures themselves instead of a model's copy.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engines.footage.framing import Picture

Frames = npt.NDArray[np.uint8]
ALIKE = 12.0  # levels by which the pictures may differ where they share something
AGREES = 30.0  # levels by which the model may differ there: more, and something passes by
FEATHER = 1.5  # pixels


def with_shared_parts(frames: Frames, first: Picture, last: Picture) -> Frames:
    """uint8 [T, H, W, 3], fading from what the first picture shows of a shared part to what the last one does."""
    alike = _soft(np.abs(first.astype(np.float32) - last).max(-1), ALIKE)
    made = np.empty_like(frames)
    for index, frame in enumerate(frames):
        share = np.float32(index / max(1, len(frames) - 1))
        fade = (1 - share) * first.astype(np.float32) + share * last
        weight = np.minimum(alike, _soft(np.abs(frame - fade).max(-1), AGREES))[..., None]
        made[index] = np.rint(frame + weight * (fade - frame)).clip(0, 255)
    return made


def _soft(differs: npt.NDArray[np.float32], limit: float) -> npt.NDArray[np.float32]:
    """1 where the difference is small, 0 from the limit on and near to such a place, float32 [H, W]."""
    nearby = cv2.dilate(differs, np.ones((3, 3), np.uint8))
    near = (nearby < limit).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(near, (0, 0), FEATHER) * near, np.float32)
