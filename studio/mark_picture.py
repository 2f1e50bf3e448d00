"""A frame with what is marked on it: the mask that the marks mean, and the marks themselves.

Shape legend: H rows, W columns of the clip; h, w of the picture that the browser gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engines.errors import InvalidRequest
from engines.footage.alignment import Floats, Picture, eight_bit
from engines.footage.footage import Footage
from engines.selection.marks import Mark, check_marks
from engines.selection.overlay import overlaid
from engines.selection.propagate import working_size
from engines.selection.sizes import resized, within
from engines.selection.strokes import mask_of_marks
from engines.video_editing.selected import marks_of
from studio.mark_clicks import Place

# Longer frames are made smaller for the browser; smaller ones are enlarged, so that a finger hits one of their pixels.
LONGEST, SHORTEST = 1280, 480
DOT = 1 / 110
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class MarkPicture:
    """What is shown of one frame.

    Attributes:
        picture: uint8 [h, w, 3].
        said: What there is to know about the marks.
        wrong: What is wrong with them, "" if nothing is.
    """

    picture: Picture
    said: str
    wrong: str


def shown_size(height: int, width: int) -> tuple[int, int]:
    """(rows, columns) of the picture for a frame of this size."""
    larger = SHORTEST // max(height, width)
    return (height * larger, width * larger) if larger > 1 else within((height, width), LONGEST)


def mark_picture(source: Footage, text: str, corner: Place | None, frame: int) -> MarkPicture:
    """Draws one frame of the clip.

    Args:
        text: The marks as the request holds them.
        corner: The first corner of a box that waits for its second one.
        frame: Its number, one of the clip's.

    Raises: MediaError if the frame cannot be decoded.
    """
    picture = eight_bit(next(source.frames(range(frame, frame + 1))))
    marks, wrong = _read(text, source)
    here = [mark for mark in marks if mark.frame == frame]
    mask: Floats | None = None
    if here and not wrong and not _amends(marks, frame):
        size = working_size(source.height, source.width)
        try:
            mask = mask_of_marks(resized(picture, size), here, (size[1] / source.width, size[0] / source.height))
        except InvalidRequest as error:
            wrong = str(error)
    rows, columns = shown_size(source.height, source.width)
    shown = _enlarged(picture, (rows, columns))
    if mask is not None:
        shown = overlaid(shown, resized(mask, (rows, columns)))
    shown = np.ascontiguousarray(shown).copy()
    pen = _Pen(shown, (columns / source.width, rows / source.height))
    for mark in here:
        pen.draw(mark)
    if corner is not None:
        pen.cross(corner)
    return MarkPicture(shown, "" if wrong else _said(marks, frame, corner), wrong)


def _read(text: str, source: Footage) -> tuple[tuple[Mark, ...], str]:
    """(the marks that can be read, what is wrong with them)."""
    marks: tuple[Mark, ...] = ()
    try:
        marks = marks_of(text)
        if marks:
            check_marks(marks, source)
    except InvalidRequest as error:
        return marks, str(error)
    return marks, ""


def _amends(marks: Sequence[Mark], frame: int) -> bool:
    """Whether the marks on this frame correct a mask that comes from an earlier one."""
    begins_anew = any(mark.kind == "box" for mark in marks if mark.frame == frame)
    return not begins_anew and any(mark.frame < frame for mark in marks)


def _said(marks: Sequence[Mark], frame: int, corner: Place | None) -> str:
    if corner is not None:
        return "Now click on the opposite corner of the box."
    if not marks:
        return "Click on the thing, or choose the box and click on two of its corners."
    frames = sorted({mark.frame for mark in marks})
    number = f"{len(marks)} mark" + ("s" if len(marks) > 1 else "")
    where = f"{number} on frame{'s' if len(frames) > 1 else ''} {', '.join(str(one) for one in frames)}."
    if frame not in frames:
        return f"{where} The thing is followed from there; this frame needs marks only if it is lost here."
    if _amends(marks, frame):
        return f"{where} Those on this frame correct what is followed from frame {frames[frames.index(frame) - 1]}."
    return f"{where} What is tinted counts as the thing."


def _enlarged(picture: Picture, size: tuple[int, int]) -> Picture:
    """At this size; pixels of small frames stay squares, so that it is seen which one is clicked."""
    if size[0] <= picture.shape[0]:
        return resized(picture, size)
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)


class _Pen:
    """Draws marks in white with a black border, seen on every ground, into a picture uint8 [h, w, 3]."""

    def __init__(self, picture: Picture, scale: tuple[float, float]) -> None:
        self._picture, self._scale = picture, scale
        self._radius = max(3, round(DOT * max(picture.shape[:2])))

    def draw(self, mark: Mark) -> None:
        if mark.box is not None:
            left, top, right, bottom = mark.box
            start, end = self._at(left, top, 0.0), self._at(right, bottom, 0.0)
            for colour, wide in ((BLACK, 4), (WHITE, 2)):
                cv2.rectangle(self._picture, start, end, colour, wide)
            return
        places = [self._at(x, y) for x, y in mark.points]
        if mark.kind == "brush" and len(places) > 1:
            for colour, wide in ((BLACK, self._radius + 2), (WHITE, self._radius)):
                cv2.polylines(self._picture, [np.array(places, np.int32)], False, colour, wide, cv2.LINE_AA)
        for place in places:
            if mark.kind == "not brush":
                self._tilted_cross(place)
            else:
                cv2.circle(self._picture, place, self._radius, BLACK, -1, cv2.LINE_AA)
                cv2.circle(self._picture, place, self._radius - 1, WHITE, -1, cv2.LINE_AA)

    def cross(self, place: Place) -> None:
        """A corner that was clicked."""
        for colour, wide in ((BLACK, 4), (WHITE, 2)):
            cv2.drawMarker(self._picture, self._at(*place), colour, cv2.MARKER_CROSS, 5 * self._radius, wide)

    def _tilted_cross(self, place: Place) -> None:
        for colour, wide in ((BLACK, 5), (WHITE, 2)):
            cv2.drawMarker(self._picture, place, colour, cv2.MARKER_TILTED_CROSS, 3 * self._radius, wide)

    def _at(self, x: float, y: float, middle: float = 0.5) -> Place:
        """Where a pixel of the clip lies in the picture: its middle, or its upper left corner."""
        return int((x + middle) * self._scale[0]), int((y + middle) * self._scale[1])
