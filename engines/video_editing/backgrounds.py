"""Footage whose people, or another thing, stay and whose background becomes another one.

Shape legend: H rows, W columns; frames uint8 or uint16 [H, W, 3], mattes float32 [H, W], 0 background … 1 person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from engines.footage.alignment import Floats, in_depth_of, unit
from engines.footage.footage import Footage, Frame
from engines.footage.video import VideoFootage
from engines.selection.background import Mattes
from engines.video_editing.request import VideoEditingRequest

# (number of the frame, the frame as float32 0 … 1, its matte) → what stands behind the people, float32 [H, W, 3]
Behind = Callable[[int, Floats, Floats], Floats]
STRONGEST_BLUR = 0.06  # of the frame's longer side, the standard deviation at blur = 1


class Composited:
    """A stage: see Footage.

    Args:
        source: Footage with people.
        mattes: Of its people.
        behind: What takes the background's place.
    """

    def __init__(self, source: Footage, mattes: Mattes, behind: Behind) -> None:
        self._source, self._mattes, self._behind = source, mattes, behind
        self.height, self.width, self.fps, self.count = source.height, source.width, source.fps, source.count

    def frames(self, wanted: range) -> Iterator[Frame]:
        both = zip(wanted, self._source.frames(wanted), self._mattes.mattes(wanted), strict=True)
        for number, frame, matte in both:
            picture = unit(frame)
            behind = self._behind(number, picture, matte)
            share = matte[..., None]
            yield in_depth_of(frame, share * picture + (1 - share) * behind)


def behind_of(request: VideoEditingRequest, source: Footage) -> Behind:
    """What the request wants behind the people. Raises: UserError for a picture that cannot be read."""
    size = (source.width, source.height)
    if request.background == "blur":
        return _blurred(request.blur * STRONGEST_BLUR * max(size))
    if request.background == "colour":
        colour = np.array([int(request.colour[at : at + 2], 16) for at in (1, 3, 5)], np.float32) / 255
        return lambda number, picture, matte: np.broadcast_to(colour, picture.shape)
    assert request.picture is not None  # checked before
    return _looped(VideoFootage(request.picture, field="picture"), size)


def _blurred(spread: float) -> Behind:
    """The background alone is blurred: what people cover does not bleed into it as a halo."""

    def behind(number: int, picture: Floats, matte: Floats) -> Floats:
        if spread < 0.3:
            return picture
        free = (1 - matte) ** 2
        weight = _smooth(free, spread)[..., None]
        return np.asarray(_smooth(picture * free[..., None], spread) / np.maximum(weight, 1e-4), np.float32)

    return behind


def _smooth(values: Floats, spread: float) -> Floats:
    """A Gaussian blur; a wide one is made at a smaller size, where it costs a constant number of pixels."""
    factor = max(1, int(spread // 4))
    if factor == 1:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), spread), np.float32)
    rows, columns = values.shape[:2]
    small = cv2.resize(values, (max(1, columns // factor), max(1, rows // factor)), interpolation=cv2.INTER_AREA)
    made = cv2.resize(cv2.GaussianBlur(small, (0, 0), spread / factor), (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(made, np.float32)


def _looped(other: Footage, size: tuple[int, int]) -> Behind:
    """Another picture or video, cut to the same shape; it begins anew where it ends."""

    def behind(number: int, picture: Floats, matte: Floats) -> Floats:
        at = number % other.count
        frame = next(iter(other.frames(range(at, at + 1))))
        return covering(unit(frame), size)

    return remembering(behind) if other.count == 1 else behind


def remembering(behind: Behind) -> Behind:
    """A background that stands still is made once."""
    made: list[Floats] = []

    def known(number: int, picture: Floats, matte: Floats) -> Floats:
        if not made:
            made.append(behind(number, picture, matte))
        return made[0]

    return known


def covering(frame: Floats, size: tuple[int, int]) -> Floats:
    """Scaled to fill (width, height), what is too much cut away on both sides. float32 [H, W, 3]."""
    width, height = size
    rows, columns = frame.shape[:2]
    scale = max(width / columns, height / rows)
    wide, high = max(width, round(columns * scale)), max(height, round(rows * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(frame, (wide, high), interpolation=method)
    top, left = (high - height) // 2, (wide - width) // 2
    return np.asarray(scaled[top : top + height, left : left + width], np.float32).clip(0, 1)
