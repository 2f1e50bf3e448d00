"""Preview frames as a small animated WebP that a browser plays by itself.

Shapes: T frames, H height, W width, 3 RGB channels.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LONGEST_SIDE = 384
MOST_FRAMES = 48


def write_preview(path: Path, frames: npt.NDArray[np.uint8], fps: float) -> None:
    """Writes the frames; whoever reads `path` at the same time sees the old preview or the new one, never a part.

    Args:
        path: Replaced if it is there. Its folder exists.
        frames: uint8 [T, H, W, 3], T ≥ 1. Of long clips every n-th frame is shown; large ones are made smaller.
        fps: Frames per second of `frames`, > 0.
    """
    stride = -(-len(frames) // MOST_FRAMES)
    pictures = [Image.fromarray(frame) for frame in frames[::stride]]
    for picture in pictures:
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    half = path.with_suffix(".part")
    # method 0: three times as fast as the default for a file that lives for a few steps.
    pictures[0].save(
        half, "WEBP", save_all=True, append_images=pictures[1:], duration=max(1, round(1000 * stride / fps)), loop=0,
        quality=70, method=0,
    )  # fmt: skip
    # Windows refuses while the page reads the old one: then the next preview will do.
    with contextlib.suppress(PermissionError):
        os.replace(half, path)
