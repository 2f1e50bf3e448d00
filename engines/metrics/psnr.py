"""Peak signal-to-noise ratios, in dB: 10 · log₁₀(peak² / mean squared error). Higher is nearer; equal input gives ∞.

Shape legend: T frames, H rows, W columns. Errors are pooled over the clip (one mean squared error, not a mean of
decibels), so that a perfect frame does not drown the others.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from engines.errors import InvalidRequest
from engines.metrics.checks import Frames, Mask, check_clip, check_finite, check_masks, check_same_shape
from engines.metrics.regions import Region, each_dilated, union_dilated

OBJECT_MARGIN = 4.0
UNION_MARGIN = 8.0
_PIXEL_PEAK = 255.0


def latent_psnr(result: torch.Tensor, reference: torch.Tensor) -> float:
    """PSNR of latents; the peak is max − min of the reference.

    Args:
        result, reference: Equal shape, any number format; computed in float64.

    Raises: InvalidRequest on different shapes, on NaN or infinity, or if the reference is one constant (no peak).
    """
    ours, theirs = _as_float64(result), _as_float64(reference)
    check_same_shape(ours, theirs, ("result", "reference"))
    check_finite(ours, "result")
    check_finite(theirs, "reference")
    peak = float(theirs.max() - theirs.min())
    if peak == 0:
        raise InvalidRequest(
            f"reference is {float(theirs.flat[0]):g} everywhere, so its PSNR has no peak.",
            "Give latents of a clip that shows something.",
            field="reference",
        )
    return _decibels(float(np.square(ours - theirs).mean()), peak)


def pixel_psnr(result: Frames, reference: Frames, region: Region | None = None) -> float:
    """PSNR of frames with peak 255.

    Args:
        result, reference: uint8 [T, H, W, 3].
        region: bool [H, W] or [T, H, W], the pixels that count; None counts all.

    Raises: InvalidRequest on wrong or different shapes, or if the region is empty.
    """
    check_clip(result, "result")
    check_clip(reference, "reference")
    check_same_shape(result, reference, ("result", "reference"))
    squared = np.square(result.astype(np.float32) - reference.astype(np.float32)).mean(-1, dtype=np.float64)
    if region is None:
        return _decibels(float(squared.mean()), _PIXEL_PEAK)
    if region.shape not in (squared.shape, squared.shape[1:]) or not region.any():
        raise InvalidRequest(
            f"region is {list(region.shape)} with {int(region.sum())} pixels, for a clip of {list(squared.shape)}.",
            "Give a region [H, W] or [T, H, W] that holds at least one pixel.",
            field="region",
        )
    return _decibels(float(squared[np.broadcast_to(region, squared.shape)].mean()), _PIXEL_PEAK)


def object_psnr(result: Frames, reference: Frames, mask: Mask) -> float:
    """PSNR in each frame's own mask, dilated 4 px: the thing and its outline.

    Args:
        result, reference: uint8 [T, H, W, 3].
        mask: [T, H, W], the true masks. A frame without the object counts nothing.

    Raises: InvalidRequest as pixel_psnr, or if every mask is empty.
    """
    check_masks(mask, reference)
    return pixel_psnr(result, reference, each_dilated(mask, OBJECT_MARGIN))


def masked_psnr(result: Frames, reference: Frames, masks: Mask) -> float:
    """PSNR inside the union of the true masks, dilated 8 px (keyframes, inpainting).

    Args:
        result, reference: uint8 [T, H, W, 3].
        masks: [N, H, W]: every mask that belongs to the union, such as those of source and target.

    Raises: InvalidRequest as pixel_psnr, or if every mask is empty.
    """
    return pixel_psnr(result, reference, union_dilated(masks, UNION_MARGIN))


def background_psnr(result: Frames, reference: Frames, masks: Mask) -> float:
    """PSNR outside the union of the true masks, dilated 8 px. Nothing of the source may have been pasted back.

    Args and errors: as masked_psnr; also InvalidRequest if the union fills the frame.
    """
    return pixel_psnr(result, reference, ~union_dilated(masks, UNION_MARGIN))


def _as_float64(values: torch.Tensor) -> npt.NDArray[np.float64]:
    return values.detach().to("cpu", torch.float64).numpy()


def _decibels(mean_squared_error: float, peak: float) -> float:
    if mean_squared_error == 0:
        return math.inf
    return 10 * math.log10(peak**2 / mean_squared_error)
