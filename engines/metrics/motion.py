"""How much the object moves, against how much it should.

Shape legend: T frames, H rows, W columns, N clips. Flow is estimated the same way on result and truth, so that
what the estimator misses cancels in the ratio. It is weighted by the picture's gradient: on a plain surface flow is a
guess, and a frozen clip with soft flicker of 4 grey levels measured 0.7 of the true motion unweighted, 0.1 weighted.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from engines.errors import InvalidRequest
from engines.media.optical_flow import optical_flow
from engines.metrics.checks import Frames, Mask, check_clip, check_finite, check_masks, check_same_shape
from engines.metrics.regions import Region, union_dilated

Picture = npt.NDArray[np.uint8]
REGION_MARGIN = 8.0
STILL = 0.02  # pixels per frame: below it a true clip has no motion to compare with
BAND = (0.5, 1.5)
STATIC = 0.1


def object_flow(frames: Frames, region: Region) -> float:
    """Mean length of the flow in the region, weighted by gradient, over all pairs of frames, in pixels per frame.

    Args:
        frames: uint8 [T, H, W, 3], T ≥ 2.
        region: bool [H, W], where the object is at any time.

    Raises: InvalidRequest on a single frame, a wrong or an empty region.
    """
    check_clip(frames, "frames", least=2)
    if region.shape != frames.shape[1:3] or not region.any():
        raise InvalidRequest(
            f"region is {list(region.shape)} with {int(region.sum())} pixels, for frames of {list(frames.shape[1:3])}.",
            "Give a region [H, W] that holds at least one pixel.",
            field="region",
        )
    return float(np.mean([_pair_flow(a, b, region) for a, b in itertools.pairwise(frames)]))


def flow_ratio(result: Frames, truth: Frames, mask: Mask | None) -> float:
    """Object flow of the result / of the truth for one clip: 0 is frozen, 1 moves as much as it should.

    Measured in the union of the true masks dilated 8 px. It says how much moves there, not which way: that is what the
    judge's `motion` says.

    Args:
        result, truth: uint8 [T, H, W, 3], T ≥ 2.
        mask: [T, H, W], the true masks; None measures whole frames, for results whose object may be anywhere
            (text to video).

    Raises: InvalidRequest on wrong shapes, an empty mask, or a truth that stands still.
    """
    check_clip(result, "result", least=2)
    check_clip(truth, "truth", least=2)
    check_same_shape(result, truth, ("result", "truth"))
    if mask is None:
        region = np.ones(truth.shape[1:3], bool)
    else:
        check_masks(mask, truth)
        region = union_dilated(mask, REGION_MARGIN)
    expected = object_flow(truth, region)
    if expected < STILL:
        raise InvalidRequest(
            f"The object of the truth moves {expected:.3f} pixels per frame: there is no motion to compare with.",
            "Leave clips that stay still out of the motion ratio.",
            field="truth",
        )
    return object_flow(result, region) / expected


def motion_ratio(ratios: Sequence[float]) -> float:
    """Median of the clips' flow ratios; 1 is as much motion as in the truth. Raises InvalidRequest if empty or NaN."""
    return float(np.median(_checked(ratios)))


def motion_in_band(ratios: Sequence[float]) -> float:
    """Share of clips with a flow ratio within 0.5 … 1.5. Raises InvalidRequest if empty or NaN."""
    values = _checked(ratios)
    return float(((values >= BAND[0]) & (values <= BAND[1])).mean())


def static_share(ratios: Sequence[float]) -> float:
    """Share of clips with a flow ratio below 0.1: pictures that were meant to move.

    Raises: InvalidRequest if empty or NaN.
    """
    return float((_checked(ratios) < STATIC).mean())


def _pair_flow(a: Picture, b: Picture, region: Region) -> float:
    weight = _gradient(a)[region]
    total = float(weight.sum(dtype=np.float64))
    if total == 0:
        return 0.0  # one flat colour: nothing is seen to move
    return float((np.linalg.norm(optical_flow(a, b)[region], axis=-1) * weight).sum(dtype=np.float64)) / total


def _gradient(frame: Picture) -> npt.NDArray[np.float32]:
    """Length of the brightness gradient [H, W], in grey levels per pixel."""
    grey = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    along_x, along_y = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(along_x, along_y) / 8, dtype=np.float32)


def _checked(ratios: Sequence[float]) -> npt.NDArray[np.float64]:
    values = np.asarray(ratios, dtype=np.float64)
    check_finite(values, "ratios")
    return values
