"""Steadiness from frame to frame and from chunk to chunk."""

from __future__ import annotations

import numpy as np
import pytest

from engines.errors import InvalidRequest
from engines.metrics.bootstrap import mean_with_interval
from engines.metrics.continuity import drift, seam_jump
from engines.metrics.regions import union_dilated
from engines.metrics.temporal import flicker, warping_error
from tests.engines.metrics.worlds import rendered


def brightened(frames: np.ndarray, amounts: list[int]) -> np.ndarray:
    """Every frame brighter by its own amount."""
    return np.clip(frames.astype(int) + np.array(amounts)[:, None, None, None], 0, 255).astype(np.uint8)


def test_flicker_is_the_change_where_nothing_moves() -> None:
    clip = rendered()
    still = ~union_dilated(clip.truth.mask, 16)  # the shadow moves too
    grey = np.full((5, 32, 32, 3), 100, np.uint8)
    assert flicker(clip.frames, still) < 1e-3
    assert flicker(clip.frames) > 0.01
    assert flicker(brightened(grey, [0, 10, 0, 10, 0])) == pytest.approx(10 / 255)


def test_warping_error_forgives_motion_but_not_flicker() -> None:
    clip = rendered()
    unsteady = brightened(clip.frames, [0, 12] * 8 + [0])
    moving = np.square(np.diff(clip.frames.astype(float), axis=0) / 255).mean()
    assert warping_error(clip.frames) < 0.2 * moving
    assert warping_error(unsteady, clip.frames) == pytest.approx((12 / 255) ** 2, rel=0.2)
    assert warping_error(clip.frames, clip.frames) == warping_error(clip.frames)


def test_what_does_not_follow_the_references_flow_is_an_error() -> None:
    clip = rendered()
    frozen = np.repeat(clip.frames[:1], 17, axis=0)
    assert warping_error(frozen) == pytest.approx(0, abs=1e-9)
    assert warping_error(frozen, clip.frames) > 20 * warping_error(clip.frames)


def test_a_planted_seam_is_seen() -> None:
    clip = rendered()
    seam = brightened(clip.frames, [0] * 8 + [40] * 9)
    assert seam_jump(clip.frames, [8]) == pytest.approx(1, abs=0.5)
    assert seam_jump(seam, [8]) > 5
    assert seam_jump(seam, [4, 12]) < 2  # it is looked for at the borders only
    assert seam_jump(seam, [4, 8, 12]) == seam_jump(seam, [8])


def test_drift_is_told_apart_by_colour_contrast_and_identity() -> None:
    frames = rendered().frames[[0] * 9]
    red = frames.copy()
    red[6:, ..., 0] = np.clip(frames[6:, ..., 0].astype(int) - 30, 0, 255)
    measured = drift(red, [3, 6], identity_of=lambda chunk: float(chunk.mean()))
    expected = (frames[0, ..., 0].astype(float) - red[8, ..., 0]).mean() / 255
    np.testing.assert_allclose(measured.channel_mean, [0, 0, expected], atol=1e-12)
    assert measured.identity is not None
    assert measured.identity[1] == 0
    assert measured.identity[2] < 0
    flat = frames.copy()
    flat[3:] = (flat[3:] // 2) + 60
    flattened = drift(flat, [3, 6])
    assert flattened.identity is None
    np.testing.assert_allclose(flattened.contrast, [0, -0.5, -0.5], atol=0.01)


@pytest.mark.parametrize("borders", [[], [0], [17], [8, 8], [9, 4]])
def test_wrong_borders_are_named(borders: list[int]) -> None:
    for measure in (seam_jump, drift):
        with pytest.raises(InvalidRequest) as caught:
            measure(rendered().frames, borders)
        assert caught.value.field == "borders"
        assert "between 1 and 16" in caught.value.fix


def test_clips_without_a_measure_are_named() -> None:
    clip = rendered()
    for measure in (flicker, warping_error):
        with pytest.raises(InvalidRequest) as caught:
            measure(clip.frames[:1])
        assert caught.value.fix == "Give a clip of at least 2 frames."
    with pytest.raises(InvalidRequest) as caught:
        flicker(clip.frames, np.zeros((96, 96), bool))
    assert caught.value.field == "still"
    with pytest.raises(InvalidRequest) as caught:
        seam_jump(np.repeat(clip.frames[:1], 17, axis=0), [8])
    assert caught.value.fix == "Measure seams on a clip that moves."
    with pytest.raises(InvalidRequest) as caught:
        drift(np.full((6, 20, 20, 3), 7, np.uint8), [3])
    assert caught.value.fix == "Measure drift on a clip that shows something."


def test_the_interval_holds_the_mean_and_shrinks_with_more_clips() -> None:
    random = np.random.default_rng(1)
    few, many = random.normal(3, 1, 20), random.normal(3, 1, 2000)
    mean, low, high = mean_with_interval(few)
    assert mean == pytest.approx(few.mean())
    assert low < mean < high
    assert (low, high) == mean_with_interval(few)[1:]
    assert (low, high) != mean_with_interval(few, seed=1)[1:]
    _, low_many, high_many = mean_with_interval(many)
    assert high_many - low_many == pytest.approx(4 / np.sqrt(2000), rel=0.25)  # ± 1.96 standard errors
    assert high_many - low_many < (high - low) / 4
    assert mean_with_interval([2.0]) == (2, 2, 2)


def test_a_mean_of_what_is_not_a_number_is_refused() -> None:
    for values in ([], [1.0, float("inf")], [float("nan")]):
        with pytest.raises(InvalidRequest) as caught:
            mean_with_interval(values)
        assert caught.value.field == "values"


def test_known_flows_take_the_place_of_estimated_ones() -> None:
    wide = np.random.default_rng(4).integers(0, 255, (32, 48, 3)).astype(np.uint8)
    frames = np.stack([wide[:, step : step + 40] for step in range(3)])
    left = np.zeros((32, 40, 2), np.float32)
    left[..., 0] = -1
    assert warping_error(frames, flows=[(left, -left)] * 2) == 0
    assert warping_error(frames, flows=[(-left, left)] * 2) > 0.01
