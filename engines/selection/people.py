"""Masks of the people in a clip: a small network finds them, flow steadies them, the picture's edges sharpen them.

The network is MediaPipe's selfie segmentation (assets/models/selfie_segmentation). It was made for people in front of
a camera: a person who fills less than about a quarter of the frame's height may be missed, and a cat or a cup in
their place may be taken for one.

Shape legend: H rows, W columns of a frame; h, w of the working size; mattes are float32, 0 nobody … 1 a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engines.errors import InvalidRequest, NotAvailable
from engines.footage.alignment import Floats, Picture, agreement, eight_bit, flow_to
from engines.footage.footage import Footage, Frame
from engines.footage.neighbours import Near, with_neighbours
from engines.media.optical_flow import warp
from engines.selection.edges import refined
from engines.selection.sizes import resized, within

PROJECT_ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = PROJECT_ROOT / "assets" / "models" / "selfie_segmentation" / "selfie_segmentation.tflite"
FIX = "Get them again as assets/models/selfie_segmentation/README.md says."
INPUT_SIDE = 256
# Flow, averaging and the edges' coefficients are found at this size; the network itself sees 256 pixels.
WORKING_SIDE = 384
# Grey levels of 255 at which a neighbour that lies over the frame counts 1 / e of one that equals it.
TRUSTED_DIFFERENCE = 12.0
# Frames on either side that a matte is averaged with.
RADIUS = 2
# A frame that is longer than this many squares is looked at in squares, too, which overlap by half.
LONG_SHAPE = 1.2
# A frame shows a person where this share of it is certain to be one. Walls, lawns and rockets have less than 0.001.
SURE, LEAST_SHARE = 0.9, 0.01
LOOKED_AT = 9


@dataclass(frozen=True)
class PeopleSeen:
    """How much of a clip shows a person.

    Attributes:
        looked_at: Frames that were looked at, spread evenly over the clip.
        with_person: How many of them show one.
        largest_share: Of a frame's pixels that are a person, the largest, 0 … 1.
    """

    looked_at: int
    with_person: int
    largest_share: float


@dataclass(frozen=True)
class _Found:
    """A frame on its way: the frame, its picture uint8 [h, w, 3] and raw matte [h, w] at the working size."""

    frame: Frame
    picture: Picture
    matte: Floats


class PersonMattes:
    """The people of some footage, by frame number.

    A matte depends on its number alone (see Footage): its neighbours are averaged within a fixed radius.

    Args:
        source: Whose people are meant.
        radius: Frames on either side that are averaged; 0 takes each frame for itself.
        weights: The network's file.

    Raises: NotAvailable if the weights are missing.
    """

    def __init__(self, source: Footage, *, radius: int = RADIUS, weights: Path = WEIGHTS) -> None:
        check_weights(weights)
        self._source, self._radius = source, radius
        self._network = PersonNetwork(weights)
        self._size = within((source.height, source.width), WORKING_SIDE)

    def mattes(self, wanted: range) -> Iterator[Floats]:
        """One float32 [H, W], 0 … 1, for each of these frames. Streams; holds 2 · radius + 1 frames."""
        for near in with_neighbours(self._found, wanted, self._radius, self._source.count):
            yield refined(_steadied(near), near.centre.frame)

    def seen(self, looked_at: int = LOOKED_AT) -> PeopleSeen:
        """Looks at some frames, spread evenly, for people."""
        count = self._source.count
        numbers = sorted({round(place) for place in np.linspace(0, count - 1, min(looked_at, count)).tolist()})
        shares = []
        for number in numbers:
            (found,) = self._found(range(number, number + 1))
            shares.append(float((found.matte > SURE).mean()))
        return PeopleSeen(len(numbers), sum(share >= LEAST_SHARE for share in shares), max(shares))

    def _found(self, wanted: range) -> Iterator[_Found]:
        for frame in self._source.frames(wanted):
            picture = resized(eight_bit(frame), self._size)
            yield _Found(frame, picture, self._network.matte(picture))


class PersonNetwork:
    """The network on one picture. Not safe for several threads at once."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._net = cv2.dnn.readNetFromTFLite(str(weights))

    def matte(self, picture: Picture) -> Floats:
        """Where a uint8 [h, w, 3] shows people: float32 [h, w].

        The whole is looked at, and of a long shape each of its squares; a person counts if either look finds them.
        Measured (docs/LOG.md): squares find small people that the whole misses, the whole finds near people of whom a
        square shows a part. The best of both was never far behind the better one.
        """
        whole = self._look(picture)
        rows, columns = picture.shape[:2]
        side, length = min(rows, columns), max(rows, columns)
        if length < LONG_SHAPE * side:
            return whole
        total, weights = np.zeros_like(whole), np.zeros_like(whole)
        ramp = np.minimum(np.arange(1, side + 1), np.arange(side, 0, -1)).astype(np.float32) / side
        steps = int(np.ceil((length - side) / (side / 2))) + 1
        for begin in np.rint(np.linspace(0, length - side, steps)).astype(int).tolist():
            part = slice(begin, begin + side)
            where = (slice(None), part) if columns > rows else (part, slice(None))
            weight = ramp[None, :] if columns > rows else ramp[:, None]
            total[where] += weight * self._look(np.ascontiguousarray(picture[where]))
            weights[where] += weight
        return np.maximum(whole, total / weights)

    def _look(self, picture: Picture) -> Floats:
        """One pass. What is not square is completed by reflection.

        Measured on crops of a portrait, IoU with the whole portrait's matte: reflected 0.89 … 0.99, stretched 0.25 …
        0.97, black bars 0.34 … 0.96.
        """
        rows, columns = picture.shape[:2]
        height, width = (max(1, round(size * INPUT_SIDE / max(rows, columns))) for size in (rows, columns))
        top, left = (INPUT_SIDE - height) // 2, (INPUT_SIDE - width) // 2
        square = cv2.copyMakeBorder(
            resized(picture, (height, width)), top, INPUT_SIDE - height - top, left,
            INPUT_SIDE - width - left, cv2.BORDER_REFLECT,
        )  # fmt: skip
        self._net.setInput(np.ascontiguousarray(square.transpose(2, 0, 1)[None].astype(np.float32) / 255))
        answer = np.asarray(self._net.forward(), np.float32)[0, 0]
        inside = np.ascontiguousarray(answer[top : top + height, left : left + width])
        return resized(inside, (rows, columns))


def require_person(people: PersonMattes) -> PeopleSeen:
    """Raises: InvalidRequest if no frame that was looked at shows a person."""
    seen = people.seen()
    if seen.with_person == 0:
        raise InvalidRequest(
            f"No person was found in the video: {seen.looked_at} frames were looked at, and at most "
            f"{seen.largest_share:.1%} of one looks like a person; {LEAST_SHARE:.0%} is the least.",
            "Choose a part of the video in which a person is larger, or select by click, box or brush.",
            "mode",
        )
    return seen


def check_weights(weights: Path = WEIGHTS) -> None:
    """Raises: NotAvailable if they are not there."""
    if not weights.is_file():
        raise NotAvailable(f"The weights that find people are not on this machine: {weights}.", FIX)


def _steadied(near: Near[_Found]) -> Floats:
    """The matte in the middle, averaged with its neighbours' along the flow as far as they are to be believed."""
    here = near.centre
    total, weights = here.matte.copy(), np.ones_like(here.matte)
    for other in near.others:
        there, back = flow_to(here.picture, other.picture), flow_to(other.picture, here.picture)
        weight = agreement(here.picture, other.picture, there, back, TRUSTED_DIFFERENCE)
        total += weight * warp(other.matte, there)
        weights += weight
    return np.asarray(total / weights, np.float32)
