"""What a person would have without a network.

Shape legend: T frames; frames are uint8 [T, h, w, 3], results uint8 [T, h · scale, w · scale, 3].
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.upscaling.degradation import resized

Frames = npt.NDArray[np.uint8]
UNSHARP_SIGMA, UNSHARP_AMOUNT = 1.0, 0.6


def bicubic(frames: Frames, scale: int) -> Frames:
    """Keys 1981, "Cubic convolution interpolation", a = −0.5."""
    return resized(frames, _larger(frames, scale), Image.Resampling.BICUBIC)


def lanczos(frames: Frames, scale: int) -> Frames:
    """Windowed sinc with three lobes."""
    return resized(frames, _larger(frames, scale), Image.Resampling.LANCZOS)


def lanczos_unsharp(frames: Frames, scale: int) -> Frames:
    """Lanczos, then unsharp masking: 60 % of the difference to a blur of half an input pixel is added."""
    sharpened = []
    for frame in lanczos(frames, scale):
        values = frame.astype(np.float32)
        blurred = cv2.GaussianBlur(values, (0, 0), UNSHARP_SIGMA * scale / 2)
        sharpened.append(np.clip(np.rint(values + UNSHARP_AMOUNT * (values - blurred)), 0, 255).astype(np.uint8))
    return np.stack(sharpened)


BASELINES: dict[str, Callable[[Frames, int], Frames]] = {
    "bicubic": bicubic,
    "lanczos": lanczos,
    "lanczos_unsharp": lanczos_unsharp,
}


def _larger(frames: Frames, scale: int) -> tuple[int, int]:
    return frames.shape[2] * scale, frames.shape[1] * scale
