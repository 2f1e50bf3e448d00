"""Regions to measure in, made from true masks.

Shape legend: T frames, H rows, W columns. A mask is bool, or coverage 0 … 1 of which more than half counts.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engines.errors import InvalidRequest
from engines.metrics.checks import Mask

Region = npt.NDArray[np.bool_]


def dilated(mask: Mask, pixels: float) -> Region:
    """The mask and everything within `pixels` of it (Euclidean).

    Args:
        mask: [H, W].
        pixels: At least 0.

    Returns: bool [H, W]; an empty mask stays empty.
    """
    inside = np.asarray(mask > 0.5)
    if not inside.any():
        return inside
    distance = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= pixels)


def each_dilated(masks: Mask, pixels: float) -> Region:
    """Every mask [T, H, W] dilated by itself; bool [T, H, W]. Raises InvalidRequest if all are empty."""
    region = np.stack([dilated(mask, pixels) for mask in masks])
    _refuse_empty(region)
    return region


def union_dilated(masks: Mask, pixels: float) -> Region:
    """The union of all masks, dilated: where the object ever is.

    Args:
        masks: [N, H, W]: a clip's frames, or those of source and target one after the other.

    Returns: bool [H, W]. Raises: InvalidRequest if all masks are empty.
    """
    region = dilated(np.asarray((masks > 0.5).any(0)), pixels)
    _refuse_empty(region)
    return region


def iou(found: Mask, true: Mask) -> float:
    """Intersection over union of two masks of a whole clip, [T, H, W] each; 1 where both are empty."""
    one, other = found > 0.5, true > 0.5
    union = np.count_nonzero(one | other)
    return float(np.count_nonzero(one & other) / union) if union else 1.0


def _refuse_empty(region: Region) -> None:
    if not region.any():
        raise InvalidRequest(
            "mask is empty in every frame.", "Give masks that hold the object in at least one frame.", field="mask"
        )
