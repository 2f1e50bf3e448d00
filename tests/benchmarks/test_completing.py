"""What is given in each mode, baselines that are not weakened, and where the object is told from the scene."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from benchmarks.completing.arms import Case, case_of, copy_nearest, linear_blend
from benchmarks.completing.objects import empty_scene, object_mask
from benchmarks.conditioning import MODES, shown_as_given, to_make
from benchmarks.solvers import steps_within
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.random_scene import held_out_scenes, is_held_out_scene


@cache
def scene() -> RenderedScene:
    return render_scene(held_out_scenes("one thing", 8, 3)[2])


@cache
def case(mode: str) -> Case:
    return case_of(scene().spec, scene().frames, mode, 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_given_and_what_is_to_be_made_are_the_whole_clip(mode: str) -> None:
    frames, hole = to_make(case(mode))
    assert frames
    given = shown_as_given(case(mode))
    kept = (given == scene().frames).all(-1)
    if hole is None:
        assert [t for t in range(17) if kept[t].all()] == list(case(mode).known)
    else:
        assert kept[:, ~hole].all()
        assert hole.sum() == 48 * 48


def test_the_frames_that_are_given_in_each_mode() -> None:
    assert {mode: case(mode).known for mode in MODES} == {
        "first frame": (0,),
        "last frame": (16,),
        "first and last frame": (0, 16),
        "keyframes": (0, 8, 16),
        "beginning": (0, 1, 2, 3, 4),
        "region": (),
    }


@pytest.mark.parametrize("mode", MODES)
def test_baselines_keep_what_is_given(mode: str) -> None:
    for arm in (copy_nearest, linear_blend):
        made, (frames, hole) = arm(case(mode)), to_make(case(mode))
        assert made.shape == scene().frames.shape
        kept = ~np.isin(np.arange(17), frames)
        assert np.array_equal(made[kept], scene().frames[kept])
        if hole is not None:
            assert np.array_equal(made[:, ~hole], scene().frames[:, ~hole])
            assert not np.array_equal(made[:, hole], scene().frames[:, hole])


def test_a_blend_is_half_of_both_in_the_middle() -> None:
    made, truth = linear_blend(case("first and last frame")), scene().frames.astype(float)
    np.testing.assert_allclose(made[8], (truth[0] + truth[16]) / 2, atol=0.51)


def test_a_hole_is_copied_from_its_nearest_rim() -> None:
    made, hole = copy_nearest(case("region")), case("region").hole
    assert hole is not None
    top = int(np.argwhere(hole)[:, 0].min())
    left = int(np.argwhere(hole)[:, 1].min())
    if top > 0:
        assert np.array_equal(made[0, top, left + 24], scene().frames[0, top - 1, left + 24])


def test_the_object_is_found_without_being_told() -> None:
    empty = empty_scene(scene().spec)
    for frame in (0, 8, 16):
        found, true = object_mask(scene().frames[frame], empty[frame]), scene().coverage[0, frame] > 0.5
        assert (found & true).sum() / (found | true).sum() > 0.6
    assert not object_mask(empty[0], empty[0]).any()


def test_benchmark_scenes_are_held_out_and_at_rest() -> None:
    for kind in ("one thing", "two things", "figure"):
        for spec in held_out_scenes(kind, 6, 1):
            assert is_held_out_scene(spec)
            assert not spec.camera.moves
            assert spec.style == "plain"


@pytest.mark.parametrize(("solver", "steps"), [("euler", 10), ("midpoint", 5), ("heun", 5)])
def test_no_solver_exceeds_its_budget_of_evaluations(solver: str, steps: int) -> None:
    assert steps_within(solver, 10) == steps
