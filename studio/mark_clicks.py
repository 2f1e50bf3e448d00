"""What a click on a frame means: marks grow by clicks and shrink by undo. Plain data, nothing of the page.

Between two clicks a draft says what the next one goes on with. It travels through the browser as text:

    ""          nothing: the next click begins anew
    "12 34"     the first corner of a box, in pixels of the clip
    "stroke"    the last mark is a stroke that the next click makes longer
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from engines.selection.marks import Kind, Mark

MEANINGS: list[tuple[str, Kind]] = [
    ("Click on it", "click"),
    ("Box (two clicks: two corners)", "box"),
    ("Brush", "brush"),
    ("Not this", "not brush"),
]
STROKE = "stroke"
_CORNER = re.compile(r"(\d{1,6}) (\d{1,6})")
Place = tuple[int, int]


class Drawn(NamedTuple):
    """The marks so far, and the draft."""

    marks: tuple[Mark, ...]
    draft: str


def corner_of(draft: str | None) -> Place | None:
    """The first corner of a box that waits for its second one."""
    found = _CORNER.fullmatch(draft or "")
    return (int(found[1]), int(found[2])) if found else None


def clicked(so_far: Drawn, meaning: Kind, frame: int, place: Place) -> Drawn:
    """One click more.

    Args:
        meaning: What a click means now.
        frame: Number of the frame that was clicked on.
        place: (x, y) of the clicked pixel of the clip.
    """
    marks, draft = so_far
    if meaning == "box":
        corner = corner_of(draft)
        if corner is None:
            return Drawn(marks, f"{place[0]} {place[1]}")
        return Drawn((*marks, _box(frame, corner, place)), "")
    if meaning == "brush":
        if draft == STROKE and _is_stroke(marks, frame):
            longer = Mark(frame=frame, kind="brush", points=(*marks[-1].points, place), width=marks[-1].width)
            return Drawn((*marks[:-1], longer), STROKE)
        return Drawn((*marks, Mark(frame=frame, kind="brush", points=(place,))), STROKE)
    return Drawn((*marks, Mark(frame=frame, kind=meaning, points=(place,))), "")


def undone(so_far: Drawn) -> tuple[Drawn, int | None]:
    """Without the last click, or the last box; and the frame that it was on, None if that is the one looked at."""
    marks, draft = so_far
    if corner_of(draft) is not None or not marks:
        return Drawn(marks, ""), None
    last = marks[-1]
    if last.kind == "brush" and len(last.points) > 1:
        shorter = Mark(frame=last.frame, kind="brush", points=last.points[:-1], width=last.width)
        return Drawn((*marks[:-1], shorter), STROKE), last.frame
    return Drawn(marks[:-1], ""), last.frame


def text_of(marks: Sequence[Mark]) -> str:
    """Marks as the request holds them; "" for none. What a mark does not need is left out."""
    if not marks:
        return ""
    return json.dumps([mark.model_dump(mode="json", exclude_defaults=True) for mark in marks])


def _box(frame: int, one: Place, other: Place) -> Mark:
    """Both clicked corners belong to the box; a mark's right and lower border do not."""
    (left, right), (top, bottom) = (sorted(pair) for pair in zip(one, other, strict=True))
    return Mark(frame=frame, kind="box", box=(left, top, right + 1, bottom + 1))


def _is_stroke(marks: Sequence[Mark], frame: int) -> bool:
    return bool(marks) and marks[-1].kind == "brush" and marks[-1].frame == frame
