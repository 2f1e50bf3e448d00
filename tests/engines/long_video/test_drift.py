"""The drift meter against the measure that benchmarks use, what it says, what it keeps, and the correction."""

from __future__ import annotations

import weakref
from functools import cache

import numpy as np
import pytest

from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import random_scene
from engines.errors import InvalidRequest
from engines.long_video.drift import DriftMeter, Thresholds, appearance_of, colours_inside, matched
from engines.metrics.continuity import drift, seam_jump

BORDERS = [9, 17, 25]


@cache
def film() -> np.ndarray:
    """A true film of 33 frames in which something moves. Copied before it is changed."""
    return render_scene(random_scene(np.random.default_rng(1), frames=33)).frames


def drifted() -> np.ndarray:
    """Each chunk redder and flatter than the one before."""
    frames = film().astype(np.float64)
    for number, chunk in enumerate(np.split(np.arange(33), BORDERS)):
        frames[chunk] = (frames[chunk] - 128) * (1 - 0.1 * number) + 128
        frames[chunk, ..., 0] += 10 * number
    return np.rint(frames).clip(0, 255).astype(np.uint8)


def metered(frames: np.ndarray, **how: object) -> DriftMeter:
    meter = DriftMeter(**how)  # type: ignore[arg-type]
    for chunk in np.split(frames, BORDERS):
        meter.add(chunk)
    return meter


@pytest.mark.parametrize("make", [film, drifted])
def test_chunk_by_chunk_it_is_what_benchmarks_measure_at_once(make: object) -> None:
    frames = make()  # type: ignore[operator]
    meter, whole = metered(frames), drift(frames, BORDERS)
    chunks = meter.measured()
    assert [chunk.channel_mean for chunk in chunks] == pytest.approx(list(whole.channel_mean))
    assert [chunk.contrast for chunk in chunks] == pytest.approx(list(whole.contrast))
    assert meter.seam_jump == pytest.approx(seam_jump(frames, BORDERS))
    assert chunks[0].seam_jump is None
    assert [chunk.seam_jump for chunk in chunks[1:]] == pytest.approx(
        [seam_jump(frames, [border]) for border in BORDERS]
    )


def test_a_true_film_is_passed_in_silence_and_a_drifting_one_is_named() -> None:
    assert metered(film()).words() == []
    said = metered(drifted()).words()
    assert not [line for line in said if line.startswith("Chunk 1")]
    assert "Chunk 4: red is brighter than in the first chunk by 9 % of full brightness." in said
    assert "Chunk 4: it has 28 % less contrast than the first chunk." in said
    assert any(line.startswith("Chunk 2: its beginning is a visible seam") for line in said)
    assert metered(drifted(), thresholds=Thresholds(1, 1, 1, 1000)).words() == []


def test_an_anchor_takes_the_place_of_the_first_chunk() -> None:
    frames = drifted()
    meter = metered(frames, anchor=frames[25:])
    assert meter.measured()[3].channel_mean == 0
    assert meter.measured()[0].channel_mean > 0.05
    assert any(line.startswith("Chunk 1: red is darker than in the anchor") for line in meter.words())


def test_masks_show_another_one_in_the_same_place() -> None:
    masks = np.zeros((8, 32, 32), np.bool_)
    masks[:, 12:20, 12:20] = True
    same = np.full((8, 32, 32, 3), 90, np.uint8)
    same[masks] = (200, 40, 40)
    other = same.copy()
    other[masks] = (40, 200, 40)
    meter = DriftMeter()
    for frames in (same, same[:, :, ::-1], other):
        meter.add(frames, masks)
    assert [chunk.identity for chunk in meter.measured()] == pytest.approx([0, 0, -1])
    assert meter.words() == ["Chunk 3: what it shows resembles the first chunk by 0 % only."]
    assert not colours_inside(same, np.zeros_like(masks)).any()
    meter.add(same, np.zeros_like(masks))
    assert meter.measured()[3].identity is None


def test_an_embedding_of_ones_own_is_asked_for_every_chunk() -> None:
    answers = iter([[1.0, 0.0], [3.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    meter = metered(film(), embed=lambda frames, masks: np.array(next(answers)))
    assert [chunk.identity for chunk in meter.measured()] == pytest.approx([0, 0, 0.5**0.5 - 1, -1])
    assert [line[:7] for line in meter.words()] == ["Chunk 3", "Chunk 4"]


def test_it_keeps_no_chunk() -> None:
    meter, seen = DriftMeter(), []
    for number in range(4):
        chunk = np.full((8, 16, 16, 3), number, np.uint8)
        seen.append(weakref.ref(chunk))
        meter.add(chunk)
        del chunk
        assert seen[-1]() is None


def test_what_has_no_contrast_or_does_not_move_is_no_number() -> None:
    meter = DriftMeter()
    for _ in range(2):
        meter.add(np.zeros((4, 16, 16, 3), np.uint8))
    assert (meter.measured()[1].contrast, meter.measured()[1].seam_jump, meter.seam_jump) == (None, None, None)
    assert meter.words() == []
    with pytest.raises(ValueError, match="seen no chunk"):
        _ = DriftMeter().anchor


def test_matching_undoes_a_drift_and_its_seams() -> None:
    frames = drifted()
    meter = metered(frames)
    mended = np.concatenate([matched(chunk, meter.anchor) for chunk in np.split(frames, BORDERS)])
    before, after = drift(frames, BORDERS), drift(mended, BORDERS)
    assert after.channel_mean.max() < 0.2 * before.channel_mean.max()
    assert np.abs(after.contrast).max() < 0.2 * np.abs(before.contrast).max()
    assert seam_jump(mended, BORDERS) < 0.5 * seam_jump(frames, BORDERS)
    assert np.array_equal(mended[:9], frames[:9])


def test_strength_is_a_way_between() -> None:
    chunk, anchor = drifted()[25:], appearance_of(film()[:9])
    assert np.array_equal(matched(chunk, anchor, 0), chunk)
    start, half, end = (appearance_of(matched(chunk, anchor, strength)).mean for strength in (0, 0.5, 1))
    assert half == pytest.approx((start + end) / 2, abs=1 / 255)
    assert end == pytest.approx(anchor.mean, abs=2 / 255)
    parts = [matched(part, anchor, own=appearance_of(chunk)) for part in (chunk[:3], chunk[3:])]
    assert np.array_equal(np.concatenate(parts), matched(chunk, anchor))


def test_a_black_anchor_does_not_flatten_and_a_flat_chunk_is_moved_only() -> None:
    black = np.zeros((2, 16, 16, 3), np.uint8)
    assert matched(film()[:9], appearance_of(black)).max() > 0
    grey = np.full((2, 16, 16, 3), 50, np.uint8)
    assert np.array_equal(matched(black, appearance_of(grey)), grey)


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda: appearance_of(np.zeros((0, 8, 8, 3), np.uint8)), "frames"),
        (lambda: appearance_of(np.zeros((2, 8, 8, 3), np.float32)), "frames"),  # type: ignore[arg-type]
        (lambda: matched(film(), appearance_of(film()), 1.5), "strength"),
        (lambda: DriftMeter().add(film(), np.ones((2, 4, 4), np.bool_)), "masks"),
        (lambda: DriftMeter(film()).add(film()[:, :64]) or metered(film()).add(film()[:, :64]), "frames"),
    ],
)
def test_what_cannot_be_compared_is_refused(act: object, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        act()  # type: ignore[operator]
    assert refused.value.field == field
