"""A thing is gone, elsewhere, larger or twice; the rest of the picture stays to the bit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.metrics.psnr import masked_psnr
from engines.selection.background import Behind
from engines.video_editing.objects import Move, Rearranged, middle_of, moved, painted
from tests.engines.known_mattes import KnownMattes

Floats = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def clip() -> RenderedScene:
    thing = Thing(noun="fox", motion="slides left", seed=4)
    return render_scene(SceneSpec(scene="mountains", actors=(thing,), sound=False, frames=17, seed=5))


def rearranged(clip: RenderedScene, move: Move | None, wanted: range = range(17)) -> npt.NDArray[np.uint8]:
    source = ClipFootage(Clip(clip.frames, Fraction(24)))
    return np.stack(list(Rearranged(source, KnownMattes(clip.coverage[0]), move).frames(wanted)))


def test_a_thing_is_gone_and_what_was_behind_it_is_there(clip: RenderedScene) -> None:
    empty = render_scene(clip.spec.model_copy(update={"actors": ()})).frames
    made = rearranged(clip, None)
    assert masked_psnr(made, empty, clip.coverage[0]) > 28
    assert masked_psnr(clip.frames, empty, clip.coverage[0]) < 18
    np.testing.assert_array_equal(rearranged(clip, None, range(8, 10)), made[8:10])


def test_a_thing_that_moves_goes_on_moving_where_it_is_put(clip: RenderedScene) -> None:
    empty = render_scene(clip.spec.model_copy(update={"actors": ()})).frames.astype(int)
    made = rearranged(clip, Move(right=20, down=-12))
    shown = np.abs(made.astype(int) - empty).max(-1) > 40
    for number in (0, 8, 16):
        expected = np.zeros((96, 96), bool)
        rows, columns = np.nonzero(clip.coverage[0][number] > 0.5)
        inside = (columns + 20 < 96) & (rows - 12 >= 0)
        expected[rows[inside] - 12, columns[inside] + 20] = True
        assert (shown[number] & expected).sum() > 0.9 * expected.sum()


def test_a_copy_leaves_the_first_one_alone(clip: RenderedScene) -> None:
    made = rearranged(clip, Move(right=30, copy=True))
    still = clip.coverage[0][0] > 0.99
    still &= ~np.roll(clip.coverage[0][0] > 0.0, 30, axis=1)
    np.testing.assert_array_equal(made[0][still], clip.frames[0][still])


def test_scaling_keeps_the_middle() -> None:
    matte = np.zeros((60, 60), np.float32)
    matte[20:30, 30:40] = 1
    picture = np.repeat(matte[..., None], 3, axis=2)
    made = moved(picture, matte, np.zeros((60, 60, 3), np.float32), Move(scale=2.0))
    assert middle_of(made[..., 0]) == pytest.approx(middle_of(matte), abs=0.6)
    assert made[..., 0].sum() == pytest.approx(4 * matte.sum(), rel=0.15)


def test_colours_of_the_old_background_do_not_come_along() -> None:
    matte = np.zeros((40, 40), np.float32)
    matte[10:20, 10:20] = 1
    matte[9, 10:20] = 0.5
    picture = np.zeros((40, 40, 3), np.float32)
    picture[..., 1] = 1 - matte  # green behind
    picture[10:20, 10:20, 0] = 1  # a red thing
    made = moved(picture, matte, np.zeros((40, 40, 3), np.float32), Move(right=10.0))
    assert made[10:20, 20:30, 0].min() > 0.99
    assert made[12:, :, 1].max() < 0.02


def test_nothing_selected_changes_nothing() -> None:
    nothing = np.zeros((20, 20), np.float32)
    under = np.full((20, 20, 3), 0.4, np.float32)
    assert middle_of(nothing) is None
    np.testing.assert_array_equal(moved(under + 0.1, nothing, under, Move(right=3.0)), under)


def test_holes_are_painted_from_around_them() -> None:
    frame = np.full((30, 30, 3), 0.5, np.float32)
    hole = np.zeros((30, 30), bool)
    hole[12:18, 12:18] = True
    frame[hole] = 1.0
    made = painted(Behind(frame, hole, hole))
    assert np.abs(made - 0.5).max() < 0.02
    whole = Behind(frame, hole, np.zeros_like(hole))
    assert painted(whole) is frame
