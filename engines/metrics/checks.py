"""What every measure asks of its input, so that a wrong array is named and not measured.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engines.errors import InvalidRequest

Frames = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_] | npt.NDArray[np.float32]


def check_clip(frames: npt.NDArray[Any], field: str, least: int = 1) -> None:
    """Raises InvalidRequest unless `frames` is uint8 [T, H, W, 3] with at least `least` frames."""
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape[1:]:
        raise InvalidRequest(
            f"{field} is {frames.dtype} {list(frames.shape)}.", "Give a clip as uint8 [T, H, W, 3].", field=field
        )
    if len(frames) < least:
        raise InvalidRequest(
            f"{field} has {len(frames)} frame{'' if len(frames) == 1 else 's'}.",
            f"Give a clip of at least {least} frame{'' if least == 1 else 's'}.",
            field=field,
        )


def check_same_shape(a: npt.NDArray[Any], b: npt.NDArray[Any], fields: tuple[str, str]) -> None:
    """Raises InvalidRequest unless both have one shape."""
    if a.shape != b.shape:
        raise InvalidRequest(
            f"{fields[0]} is {list(a.shape)} but {fields[1]} is {list(b.shape)}.",
            f"Give {fields[0]} and {fields[1]} of equal shape.",
            field=fields[0],
        )


def check_masks(masks: npt.NDArray[Any], frames: Frames, field: str = "mask") -> None:
    """Raises InvalidRequest unless `masks` is [T, H, W] with the clip's T, H, W."""
    if masks.shape != frames.shape[:3]:
        raise InvalidRequest(
            f"{field} is {list(masks.shape)} for a clip of {list(frames.shape[:3])}.",
            "Give one mask for each frame, of the frame's height and width.",
            field=field,
        )


def check_finite(values: npt.NDArray[Any], field: str) -> None:
    """Raises InvalidRequest if the array is empty, or holds NaN or infinity."""
    if values.size == 0:
        raise InvalidRequest(f"{field} is empty.", f"Give at least one value for {field}.", field=field)
    bad = int(values.size - np.isfinite(values).sum())
    if bad:
        raise InvalidRequest(
            f"{field} holds {bad} value{'' if bad == 1 else 's'} of {values.size} that are not finite.",
            f"Find where {field} becomes NaN or infinite; leave such clips out only by name.",
            field=field,
        )
