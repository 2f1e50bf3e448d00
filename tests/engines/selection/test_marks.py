"""Marks are plain data, and those that cannot be meant are refused with what to do."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from engines.errors import InvalidRequest
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.selection.marks import Mark, check_marks

CLIP = ClipFootage(Clip(np.zeros((10, 48, 64, 3), np.uint8), Fraction(24)))


def click(frame: int, *points: tuple[float, float]) -> Mark:
    return Mark(frame=frame, kind="click", points=points)


def boxed(*box: float) -> Mark:
    return Mark(frame=0, kind="box", box=(box[0], box[1], box[2], box[3]))


CLICK = click(3, (5, 6))


def test_marks_travel_as_json() -> None:
    box = Mark(frame=0, kind="box", box=(0, 0, 64, 48))
    marks = (CLICK, box, Mark(frame=9, kind="not brush", points=((1, 2), (3, 4.5)), width=3))
    adapter = TypeAdapter(tuple[Mark, ...])
    assert adapter.validate_json(adapter.dump_json(marks)) == marks
    check_marks(marks, CLIP)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "box"},
        {"kind": "box", "box": (0, 0, 9, 9), "points": ((1, 1),)},
        {"kind": "click"},
        {"kind": "brush", "points": ((1, 1),), "box": (0, 0, 9, 9)},
        {"kind": "lasso", "points": ((1, 1),)},
        {"kind": "click", "points": ((float("nan"), 1),)},
        {"kind": "click", "points": ((1, 1),), "frame": -1},
    ],
)
def test_a_mark_has_the_places_of_its_kind(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Mark(**{"frame": 0, **fields})


@pytest.mark.parametrize(
    ("marks", "said", "fix"),
    [
        ([], "Nothing is marked", "draw a box around it"),
        ([click(10, (1, 1))], "frame 10; the clip has the frames 0 to 9", "inside the clip"),
        ([click(0, (1, 1), (70, 4))], r"\(70, 4\); the picture has 64 × 48", "inside the picture"),
        ([click(0, (1, -1))], r"\(1, -1\)", "inside the picture"),
        ([boxed(0, 0, 65, 40)], r"\(65, 40\)", "inside the picture"),
        ([boxed(9, 9, 12, 40)], "3 × 31 pixels; at least 4 × 4", "upper left corner"),
        ([boxed(30, 9, 12, 40)], "-18 × 31", "upper left corner"),
        ([Mark(frame=1, kind="not brush", points=((1, 1),)), CLICK], "first marked frame, 1", "or an earlier one"),
    ],
)
def test_marks_that_cannot_be_meant_are_refused(marks: list[Mark], said: str, fix: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as raised:
        check_marks(marks, CLIP)
    assert raised.value.field == "marks"
    assert fix in raised.value.fix


def test_a_box_may_end_on_the_picture_s_border() -> None:
    check_marks([Mark(frame=9, kind="box", box=(0, 0, 64, 48))], CLIP)
