"""Steadiness from frame to frame.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.errors import InvalidRequest
from engines.media.optical_flow import Flow, optical_flow, visible_in_both, warp
from engines.metrics.checks import Frames, check_clip, check_same_shape
from engines.metrics.regions import Region


def warping_error(
    frames: Frames, reference: Frames | None = None, flows: Sequence[tuple[Flow, Flow]] | None = None
) -> float:
    """Mean squared difference between a frame and the next one warped back onto it, where both show the same thing.

    The warping error of Lai et al. 2018, "Learning Blind Video Temporal Consistency"; occlusions by forward-backward
    consistency.

    Args:
        frames: uint8 [T, H, W, 3], T ≥ 2.
        reference: uint8 of the same shape: flow and occlusions are estimated on it (the truth or the input).
            None estimates them on the frames themselves, which excuses what flow can explain.
        flows: Known ones instead, T − 1 pairs: from a frame to the next one, and back.

    Returns: 0 … 1 on pixel values 0 … 1, mean over pairs of frames; 0 is perfectly steady.
    Raises: InvalidRequest on a single frame, on different shapes, or if no pair has a pixel that is seen twice.
    """
    check_clip(frames, "frames", least=2)
    guide = frames if reference is None else reference
    check_clip(guide, "reference", least=2)
    check_same_shape(frames, guide, ("frames", "reference"))
    errors = []
    for t in range(len(frames) - 1):
        if flows is None:
            forward, backward = optical_flow(guide[t], guide[t + 1]), optical_flow(guide[t + 1], guide[t])
        else:
            forward, backward = flows[t]
        visible = visible_in_both(forward, backward)
        if visible.any():
            difference = (warp(frames[t + 1], forward) - frames[t].astype(np.float32)) / 255
            errors.append(float(np.square(difference[visible]).mean(dtype=np.float64)))
    if not errors:
        raise InvalidRequest(
            "No pixel of any frame is seen again in the next one.",
            "Give a clip without a cut between all of its frames.",
            field="reference" if reference is not None else "frames",
        )
    return float(np.mean(errors))


def flicker(frames: Frames, still: Region | None = None) -> float:
    """Mean absolute change from frame to frame where nothing should move.

    Huang et al. 2024, "VBench", temporal flickering; here as the change itself, 0 … 1, lower is steadier.

    Args:
        frames: uint8 [T, H, W, 3], T ≥ 2.
        still: bool [H, W], the pixels of the resting background (outside the union of the true masks); None takes all,
            which is right only for a clip in which nothing moves.

    Raises: InvalidRequest on a single frame, or a wrong or empty region.
    """
    check_clip(frames, "frames", least=2)
    region = np.ones(frames.shape[1:3], bool) if still is None else still
    if region.shape != frames.shape[1:3] or not region.any():
        raise InvalidRequest(
            f"still is {list(region.shape)} with {int(region.sum())} pixels, for frames of {list(frames.shape[1:3])}.",
            "Give a region [H, W] that holds at least one pixel.",
            field="still",
        )
    resting = frames[:, region].astype(np.float32)
    return float(np.abs(np.diff(resting, axis=0)).mean(dtype=np.float64) / 255)
