"""What was behind a thing: looked up in the frames that show it, along the camera's motion.

Nothing is invented here. What no frame shows stays a hole, which is left to the caller.
Shape legend: H rows, W columns of a frame; h, w of the working size; a mask is float32 0 … 1, 1 the thing; a motion is
float64 [2, 3], pixels of one frame → pixels of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, cast

import cv2
import numpy as np
import numpy.typing as npt

from engines.footage.alignment import Floats, Picture, eight_bit, flow_to, unit
from engines.footage.footage import Footage, Frame
from engines.footage.neighbours import Near, with_neighbours
from engines.selection.sizes import resized, within

WORKING_SIDE = 256
# Frames on either side that are looked at; near ones first, then ever wider apart, where a thing has moved off.
OFFSETS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
RADIUS = OFFSETS[-1]
# A thing has a soft outline and a shadow: so large a share of the longer side around it counts as it, too.
MARGIN = 0.05
THING = 0.1
MOST_POINTS, LEAST_POINTS = 200, 6
GRID = 6  # pixels of the working size between two points of dense flow
# Pixels of the working size within which a corner comes to itself there and back.
RETURNS_WITHIN = 0.5
# Grey levels by which a motion must beat none: noise always moves a little.
STILL = 0.1
NO_MOTION = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


class Mattes(Protocol):
    """Masks by frame number, such as engines.selection.track.MaskTrack."""

    def mattes(self, wanted: range) -> Iterator[Floats]:
        """One float32 [H, W] for each of these frames."""
        ...


@dataclass(frozen=True)
class Behind:
    """One frame without the thing.

    Attributes:
        frame: float32 [H, W, 3], 0 … 1; inside the hole as it was.
        covered: bool [H, W], where the thing was.
        hole: bool [H, W], of these what no frame shows.
    """

    frame: Floats
    covered: npt.NDArray[np.bool_]
    hole: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Seen:
    """A frame on its way: the frame, where the thing is bool [H, W], and both at the working size."""

    frame: Frame
    covered: npt.NDArray[np.bool_]
    picture: Picture
    free: npt.NDArray[np.bool_]


class BackgroundBehind:
    """Frames of a clip without a thing, by number; a frame depends on its number alone (see Footage).

    Args:
        source: The clip.
        mattes: Where the thing is.
        margin: Share of the longer side by which the thing's outline is widened.
    """

    def __init__(self, source: Footage, mattes: Mattes, margin: float = MARGIN) -> None:
        self._source, self._mattes = source, mattes
        self._size = within((source.height, source.width), WORKING_SIDE)
        self._reach = max(1, round(margin * max(source.height, source.width)))

    def frames(self, wanted: range) -> Iterator[Behind]:
        """Streams; holds 2 · RADIUS + 1 frames."""
        for near in with_neighbours(self._seen, wanted, RADIUS, self._source.count):
            yield _looked_up(near)

    def _seen(self, wanted: range) -> Iterator[_Seen]:
        brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * self._reach + 1, 2 * self._reach + 1))
        for frame, matte in zip(self._source.frames(wanted), self._mattes.mattes(wanted), strict=True):
            covered = cv2.dilate((matte > THING).astype(np.uint8), brush)
            free = resized(covered.astype(np.float32), self._size) < THING
            yield _Seen(frame, covered > 0, resized(eight_bit(frame), self._size), free)


def _looked_up(near: Near[_Seen]) -> Behind:
    """The nearest frame that shows a pixel's background gives it."""
    here = near.centre
    made, hole = unit(here.frame), here.covered.copy()
    for offset in OFFSETS:
        for place in (near.at - offset, near.at + offset):
            if hole.any() and 0 <= place < len(near.items):
                _fill_from(made, hole, here, near.items[place])
    return Behind(made, here.covered, hole)


def _fill_from(made: Floats, hole: npt.NDArray[np.bool_], here: _Seen, other: _Seen) -> None:
    """Puts in what the other frame shows of the hole, and makes the hole smaller."""
    motion = camera_motion(here.picture, other.picture, here.free & other.free)
    if motion is None:
        return
    rows, columns = hole.shape
    scale = columns / here.picture.shape[1]
    motion[:, 2] *= scale
    hidden = _warped(other.covered.astype(np.float32), motion, (columns, rows), outside=1.0)
    shown = hole & (hidden < 0.01)
    if shown.any():
        looked_up = _warped(unit(other.frame), motion, (columns, rows))
        looked_up += _brightness(made, looked_up, here.covered, hidden)
        made[shown] = looked_up[shown].clip(0, 1)
        hole[shown] = False


def _warped(picture: Floats, motion: npt.NDArray[np.float64], size: tuple[int, int], outside: float = 0.0) -> Floats:
    """Looked up where the motion leads; size = (columns, rows)."""
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    made = cv2.warpAffine(picture, motion, size, flags=how, borderMode=cv2.BORDER_CONSTANT, borderValue=outside)
    return np.asarray(made, np.float32)


def camera_motion(picture: Picture, other: Picture, free: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64] | None:
    """Where the background of one picture is in another: turn, scale and shift; None where nothing of it is free.

    Corners say it best and plain walls have none, dense flow always says something: of both, and of no motion at all,
    the one is taken under which the two pictures look most alike.

    Args:
        free: bool [h, w], where neither shows the thing.
    """
    if not free.any():
        return None
    candidates = [
        NO_MOTION.copy(),
        *(_fitted(*ends) for ends in (_corners(picture, other, free), _grid(picture, other, free))),
    ]
    apart = [_apart(picture, other, free, motion) for motion in candidates if motion is not None]
    apart[0] -= STILL
    able = [motion for motion in candidates if motion is not None]
    return able[int(np.argmin(apart))]


def _corners(picture: Picture, other: Picture, free: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Points [n, 2] of one picture, and where they are in the other."""
    grey, there = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (picture, other))
    corners = cv2.goodFeaturesToTrack(grey, MOST_POINTS, 0.01, 4, mask=free.astype(np.uint8) * 255)
    if corners is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(grey, there, corners, np.empty_like(corners), winSize=(11, 11))
    back, again, _ = cv2.calcOpticalFlowPyrLK(there, grey, moved, np.empty_like(corners), winSize=(11, 11))
    returned = np.abs(back - corners).max(-1).ravel() < RETURNS_WITHIN
    sure = (found.ravel() > 0) & (again.ravel() > 0) & returned
    return corners.reshape(-1, 2)[sure], moved.reshape(-1, 2)[sure]


def _grid(picture: Picture, other: Picture, free: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The same by dense flow."""
    flow = flow_to(picture, other)
    rows, columns = np.mgrid[GRID // 2 : free.shape[0] : GRID, GRID // 2 : free.shape[1] : GRID]
    chosen = free[rows, columns]
    points = np.stack([columns[chosen], rows[chosen]], axis=-1).astype(np.float32)
    return points, points + flow[rows[chosen], columns[chosen]]


def _fitted(points: Floats, moved: Floats) -> npt.NDArray[np.float64] | None:
    if len(points) < LEAST_POINTS:
        return None
    motion, _ = cv2.estimateAffinePartial2D(points, moved, ransacReprojThreshold=0.7)
    return None if motion is None else cast("npt.NDArray[np.float64]", motion)


def _apart(picture: Picture, other: Picture, free: npt.NDArray[np.bool_], motion: npt.NDArray[np.float64]) -> float:
    """Mean difference in grey levels where the background is free, brightness apart, one laid over the other."""
    rows, columns = free.shape
    inside = _warped(np.ones(free.shape, np.float32), motion, (columns, rows)) > 0.99
    both = free & inside
    if both.sum() < 0.3 * free.sum():
        return float("inf")
    laid = _warped(other.astype(np.float32), motion, (columns, rows))
    difference = laid[both] - picture[both]
    return float(np.abs(difference - np.median(difference, axis=0)).mean())


def _brightness(made: Floats, looked_up: Floats, covered: npt.NDArray[np.bool_], hidden: Floats) -> Floats:
    """By how much the other frame is darker where both show the background: exposure wanders. float32 [3]."""
    both = ~covered & (hidden < 0.01)
    if not both.any():
        return np.zeros(3, np.float32)
    return np.asarray(np.median(made[both] - looked_up[both], axis=0), np.float32)
