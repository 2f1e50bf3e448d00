"""Small clips and pictures for tests about somebody's own footage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.media.contact_sheet import save_picture
from engines.media.formats import VideoFormat
from engines.media.writer import ClipWriter

FPS = 12


def frames(number: int, width: int = 96, height: int = 64) -> npt.NDArray[np.uint8]:
    """A square that moves to the right."""
    made = np.full((number, height, width, 3), 60, np.uint8)
    for index in range(number):
        left = index * 3 % (width - 16)
        made[index, 20:36, left : left + 16] = (240, 140, 40)
    return made


def clip(path: Path, seconds: float = 1.0, how: VideoFormat | None = None) -> Path:
    with ClipWriter(path, FPS, how=how) as writer:
        writer.write(frames(round(FPS * seconds)))
    return path


def picture(path: Path, colour: tuple[int, int, int] = (200, 80, 40)) -> Path:
    save_picture(path, np.full((64, 96, 3), colour, np.uint8))
    return path
