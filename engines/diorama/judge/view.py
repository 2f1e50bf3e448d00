"""How a judge looks at a clip: nine frames of 96 × 96, whatever the clip's size and length.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch

from engines.diorama.judge.model import pick_frames

Frames = npt.NDArray[np.uint8]
Picture = npt.NDArray[np.uint8]
JUDGE_SIDE = 96
GREY = 127.5
CROP_MARGIN = 1.25  # side of the crop / longer side of the object


def view(clip: Frames) -> Frames:
    """uint8 [T, H, W, 3] → [9, 96, 96, 3]: evenly over the clip; one that is not square stands between grey bars."""
    return np.stack([_fitted(frame) for frame in pick_frames(clip)])


def _fitted(frame: Picture) -> Picture:
    height, width = frame.shape[:2]
    scale = JUDGE_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = frame if size == (width, height) else cv2.resize(frame, size, interpolation=how)
    if size == (JUDGE_SIDE, JUDGE_SIDE):
        return np.asarray(scaled, np.uint8)
    whole = np.full((JUDGE_SIDE, JUDGE_SIDE, 3), round(GREY), np.uint8)
    top, left = (JUDGE_SIDE - size[1]) // 2, (JUDGE_SIDE - size[0]) // 2
    whole[top : top + size[1], left : left + size[0]] = scaled
    return whole


def as_input(pictures: npt.NDArray[np.uint8]) -> torch.Tensor:
    """uint8 [..., 96, 96, 3] → float32 [..., 3, 96, 96] in −1 … 1."""
    return torch.from_numpy(pictures).movedim(-1, -3).float() / GREY - 1


def mask_crop(frame: Picture, mask: npt.NDArray[np.float32] | npt.NDArray[np.bool_]) -> Picture:
    """The object alone on grey, in a square around its mask: the scene must not speak for it.

    Args:
        frame: uint8 [H, W, 3].
        mask: [H, W], coverage 0 … 1 or bool; not empty.

    Returns: uint8 [96, 96, 3].
    """
    inside = np.argwhere(mask > 0.5)
    (top, left), (bottom, right) = inside.min(0), inside.max(0)
    scale = JUDGE_SIDE / (CROP_MARGIN * (max(bottom - top, right - left) + 1))
    middle = (JUDGE_SIDE - 1) / 2
    placed = np.array(
        [[scale, 0, middle - scale * (left + right) / 2], [0, scale, middle - scale * (top + bottom) / 2]]
    )
    coverage = mask.astype(np.float32)[..., None]
    alone = frame.astype(np.float32) * coverage + GREY * (1 - coverage)
    crop = cv2.warpAffine(alone, placed, (JUDGE_SIDE, JUDGE_SIDE), flags=cv2.INTER_LINEAR, borderValue=(GREY,) * 3)
    return np.asarray(np.clip(crop + 0.5, 0, 255), dtype=np.uint8)
