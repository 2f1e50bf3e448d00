"""Held-back frames, baselines that are not weakened, and clips that hold no cut."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.interpolation import baseline, ours
from benchmarks.smoothing.baselines import BASELINES, flow_warp, linear, repeat
from benchmarks.smoothing.clips import HeldBack, diorama_specs, load_diorama, real_clips, with_flash
from engines.metrics.psnr import pixel_psnr
from tests.engines.media.synthesis import numbered_frames


def panning(count: int) -> np.ndarray:
    """A smooth pattern that moves two pixels a frame: uint8 [T, 64, 64, 3]."""
    rows, columns = np.mgrid[0:64, 0 : 64 + 2 * count]
    large = np.stack([128 + 100 * np.sin(columns / 7 + c) * np.cos(rows / 9) for c in range(3)], -1)
    return np.stack([large[:, 2 * t : 2 * t + 64] for t in range(count)]).astype(np.uint8)


def test_what_is_held_back_is_never_given() -> None:
    clip = HeldBack("numbers", numbered_frames(9), 4)
    assert clip.hidden == [1, 2, 3, 5, 6, 7]
    assert [int(frame.mean()) // 10 for frame in clip.given] == [0, 4, 8]


def test_baselines_are_what_they_say() -> None:
    first, second = np.full((32, 32, 3), 10, np.uint8), np.full((32, 32, 3), 50, np.uint8)
    assert repeat(first, second, 0.25) is first
    assert repeat(first, second, 0.75) is second
    assert (linear(first, second, 0.25) == 20).all()


def test_the_flow_baseline_is_strong_where_flow_is_easy() -> None:
    clip = HeldBack("panning", panning(9), 2)
    hidden = clip.truth[clip.hidden]
    assert pixel_psnr(baseline(flow_warp, clip), hidden) > pixel_psnr(baseline(linear, clip), hidden) + 2


@pytest.mark.parametrize("arm", sorted(BASELINES))
def test_all_arms_make_the_same_frames(arm: str) -> None:
    clip = load_diorama(diorama_specs(quick=True)[0])
    assert len(clip.truth) == 65
    small = HeldBack(clip.name, clip.truth[:9], clip.step)
    assert baseline(BASELINES[arm], small).shape == ours(small).shape == (6, 96, 96, 3)


def test_quick_clips_are_among_the_full_ones() -> None:
    assert set(real_clips(quick=True)) <= set(real_clips(quick=False))


def test_a_flash_lights_only_its_frames() -> None:
    frames = numbered_frames(8)
    lit = with_flash(frames, 3, 2)
    assert lit[3:5].min() > 220
    np.testing.assert_array_equal(np.delete(lit, [3, 4], 0), np.delete(frames, [3, 4], 0))
