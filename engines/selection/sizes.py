"""Frames and masks at the size that is worked at.

Shape legend: H rows, W columns of a frame; h, w of a picture that is worked on.
"""

from __future__ import annotations

from typing import TypeVar, cast

import cv2

from engines.footage.alignment import Floats, Picture

Image = TypeVar("Image", Floats, Picture)


def resized(picture: Image, size: tuple[int, int]) -> Image:
    """A picture or mask [H, W, …] in `size` = (rows, columns): areas averaged downwards, straight lines upwards."""
    rows, columns = size
    if picture.shape[:2] == size:
        return picture
    smaller = rows * columns < picture.shape[0] * picture.shape[1]
    made = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return cast(Image, made)


def within(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(rows, columns) of the same shape whose longer side is at most `longest`."""
    factor = min(1.0, longest / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
