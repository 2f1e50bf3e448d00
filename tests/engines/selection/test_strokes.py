"""The mask of one frame is the thing that was clicked, boxed or brushed; strokes amend what was carried there."""

from __future__ import annotations

import numpy as np
import pytest

from engines.errors import InvalidRequest
from engines.footage.alignment import eight_bit
from engines.selection.marks import Mark
from engines.selection.propagate import working_size
from engines.selection.sizes import resized
from engines.selection.strokes import mask_of_marks
from tests.engines.selection.scenes import MOVING, box_around, click_in, drawn, overlap


def found(frame: np.ndarray, marks: list[Mark], so_far: np.ndarray | None = None) -> np.ndarray:
    """The mask at the frame's own size, bool [H, W]."""
    size = working_size(*frame.shape[:2])
    scale = (size[1] / frame.shape[1], size[0] / frame.shape[0])
    carried = None if so_far is None else resized(so_far.astype(np.float32), size)
    mask = mask_of_marks(resized(eight_bit(frame), size), marks, scale, carried)
    assert mask.dtype == np.float32
    assert mask.shape == size
    return resized(mask, frame.shape[:2]) > 0.5


def painted() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A red disc with a blue disc beside it on green, with a little noise; and where they are."""
    rows, columns = np.mgrid[0:120, 0:160]
    red, blue = ((rows - 60) ** 2 + (columns - x) ** 2 < 24**2 for x in (50, 110))
    frame = np.full((120, 160, 3), (40, 140, 60), np.float64)
    frame[red], frame[blue] = (200, 40, 40), (40, 50, 190)
    noisy = frame + np.random.default_rng(0).normal(0, 4, frame.shape)
    return noisy.round().clip(0, 255).astype(np.uint8), red, blue


@pytest.mark.parametrize("name", list(MOVING))
@pytest.mark.parametrize("kind", ["box", "click"])
def test_a_box_or_a_click_is_enough_for_a_thing_that_stands_out(kind: str, name: str) -> None:
    source, truth = drawn(name)
    frame = next(source.frames(range(1)))
    mark = box_around(truth[0]) if kind == "box" else click_in(truth[0])
    reached = overlap(found(frame, [mark]), truth[0])
    print(f"{kind} on {name}: IoU {reached:.3f}")
    assert reached > 0.7


def test_a_click_takes_one_of_two_things_and_a_brush_over_both_takes_both() -> None:
    frame, red, blue = painted()
    click = Mark(frame=0, kind="click", points=((50, 60),))
    assert overlap(found(frame, [click]), red) > 0.95
    strokes = [Mark(frame=0, kind="brush", points=((x - 9, 60), (x + 9, 62)), width=5) for x in (50, 110)]
    assert overlap(found(frame, strokes), red | blue) > 0.95


def test_not_brush_takes_out_of_a_box_what_it_touches() -> None:
    frame, red, blue = painted()
    box = Mark(frame=0, kind="box", box=(20, 30, 140, 90))
    assert overlap(found(frame, [box]), red | blue) > 0.95
    without = Mark(frame=0, kind="not brush", points=((100, 60), (120, 60)), width=6)
    assert overlap(found(frame, [box, without]), red) > 0.9


def test_strokes_amend_what_was_carried_and_leave_the_rest_alone() -> None:
    frame, red, blue = painted()
    left = red & (np.mgrid[0:120, 0:160][1] < 50)
    added = found(frame, [Mark(frame=4, kind="click", points=((110, 60),))], left)
    assert overlap(added & blue, blue) > 0.9
    np.testing.assert_array_equal(added[:, :75], left[:, :75])
    removed = found(frame, [Mark(frame=4, kind="not brush", points=((100, 60), (120, 60)), width=6)], red | blue)
    assert overlap(removed, red) > 0.9


def test_a_box_begins_anew() -> None:
    frame, red, blue = painted()
    boxed = found(frame, [Mark(frame=4, kind="box", box=(80, 30, 140, 90))], red)
    assert overlap(boxed, blue) > 0.95


def test_a_click_on_what_is_around_takes_that() -> None:
    frame, red, blue = painted()
    around = found(frame, [Mark(frame=0, kind="click", points=((5, 5),))])
    assert overlap(around, ~(red | blue)) > 0.95


def test_the_same_marks_give_the_same_mask() -> None:
    source, truth = drawn("fox")
    frame = next(source.frames(range(1)))
    first = found(frame, [box_around(truth[0])])
    np.random.default_rng().random(3)
    found(frame[::-1], [click_in(truth[0][::-1])])
    np.testing.assert_array_equal(found(frame, [box_around(truth[0])]), first)


def test_marks_that_select_nothing_or_everything_say_what_to_do() -> None:
    plain = np.full((96, 96, 3), 90, np.uint8)
    everything = Mark(frame=2, kind="box", box=(0, 0, 96, 96))
    with pytest.raises(InvalidRequest, match="frame 2 select the whole picture") as raised:
        found(plain, [everything])
    assert raised.value.field == "marks"
    assert "not brush" in raised.value.fix
    _, red, _ = painted()
    rubbed_out = Mark(frame=3, kind="not brush", points=((80, 60),), width=1000)
    with pytest.raises(InvalidRequest, match="frame 3 select nothing") as raised:
        found(painted()[0], [rubbed_out], red)
    assert raised.value.field == "marks"
    assert "the thing itself" in raised.value.fix
