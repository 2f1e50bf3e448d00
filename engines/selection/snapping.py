"""Masks laid to the edges of their picture: in a zone, GrabCut decides anew; beside it, nothing changes.

Rother, Kolmogorov, Blake 2004, "GrabCut: interactive foreground extraction using iterated graph cuts".

Shape legend: h rows, w columns of a picture at the working size; soft masks are float32 [h, w], 0 … 1.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engines.footage.alignment import Floats, Picture

Region = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
# Too few pixels of either side say nothing about its colours.
FEWEST_PIXELS = 10
# Colours are counted in so many steps per channel.
STEPS = 16


def grab_cut(picture: Picture, labels: Labels, iterations: int) -> Region:
    """The picture cut in two: bool [h, w], True the thing.

    Colours are learnt from this picture alone, so the answer depends on nothing that came before.

    Args:
        labels: uint8 [h, w], OpenCV's GC_BGD, GC_FGD (certain), GC_PR_BGD, GC_PR_FGD (probable).
    """
    found = labels.copy()
    thing = _is_thing(found)
    if (
        min(thing.sum(), (~thing).sum()) < FEWEST_PIXELS
        or not ((found == cv2.GC_PR_BGD) | (found == cv2.GC_PR_FGD)).any()
    ):
        return thing
    # GrabCut groups colours from random starts, drawn from a generator that all of OpenCV shares.
    cv2.setRNGSeed(0)
    cv2.grabCut(picture, found, None, np.zeros((1, 65)), np.zeros((1, 65)), iterations, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    return _is_thing(found)


def snapped(picture: Picture, soft: Floats, zone: Region, unlikely: Region | None = None) -> Floats:
    """A soft mask whose zone is decided anew by the picture: float32 [h, w], 0 or 1 in the zone.

    Args:
        soft: What is thought so far.
        zone: bool [h, w], where the picture decides.
        unlikely: bool [h, w], what of the zone is thought to be background whatever `soft` says.
    """
    thing = soft > 0.5
    if not zone.any() or not thing.any():
        return soft
    probable = thing if unlikely is None else thing & ~unlikely
    labels = np.where(
        zone, np.where(probable, cv2.GC_PR_FGD, cv2.GC_PR_BGD), np.where(thing, cv2.GC_FGD, cv2.GC_BGD)
    ).astype(np.uint8)
    # Of what is around, as much as the thing is large: nearby colours are those it must be told from.
    rows, columns = _around(thing | zone)
    cut = grab_cut(
        np.ascontiguousarray(picture[rows, columns]), np.ascontiguousarray(labels[rows, columns]), iterations=1
    )
    made = soft.copy()
    made[rows, columns] = np.where(zone[rows, columns], cut, soft[rows, columns])
    return made


def grown(region: Region, radius: int) -> Region:
    """Every pixel at most `radius` from the region."""
    return np.asarray(cv2.dilate(region.astype(np.uint8), disc(radius)), bool) if radius else region


def shrunk(region: Region, radius: int) -> Region:
    """Every pixel of the region farther than `radius` from its border; the picture's border is none."""
    return np.asarray(cv2.erode(region.astype(np.uint8), disc(radius)), bool) if radius else region


def disc(radius: int) -> Picture:
    side = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def likeness(picture: Picture, region: Region, other: Region) -> Floats:
    """How far each pixel's colour is one of a region's, rather than of another region's: float32 [h, w], 0 … 1.

    Both are counted, each by its own number of pixels, so that a small thing is heard.
    """
    blurred = cv2.GaussianBlur(picture, (0, 0), 1.0).astype(np.int64) * STEPS // 256
    numbers = (blurred[..., 0] * STEPS + blurred[..., 1]) * STEPS + blurred[..., 2]
    inside, outside = (_frequencies(numbers[part]) for part in (region, other))
    share = inside / np.maximum(inside + outside, 1e-9)
    return np.asarray(share[numbers], np.float32)


def _frequencies(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Share of each colour, [STEPS³]; neighbouring colours count for each other, or noise would make them differ."""
    counts = np.bincount(numbers, minlength=STEPS**3).reshape(STEPS, STEPS, STEPS).astype(np.float64)
    for axis in range(3):
        padded = np.moveaxis(np.pad(counts, [(1, 1) if axis == other else (0, 0) for other in range(3)]), axis, 0)
        counts = np.moveaxis((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4, 0, axis)
    frequencies: npt.NDArray[np.float64] = counts.reshape(-1) / max(1, len(numbers))
    return frequencies


def _is_thing(labels: Labels) -> Region:
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def _around(region: Region) -> tuple[slice, slice]:
    rows, columns = np.nonzero(region.any(1))[0], np.nonzero(region.any(0))[0]
    margin = max(8, (rows[-1] - rows[0]) // 4, (columns[-1] - columns[0]) // 4)
    return (
        slice(max(0, rows[0] - margin), rows[-1] + margin + 1),
        slice(max(0, columns[0] - margin), columns[-1] + margin + 1),
    )
