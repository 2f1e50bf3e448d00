"""Cuts, flashes, repeats: which two frames a moment lies between."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from engines.footage.cuts import grey, is_cut
from engines.footage.footage import ClipFootage
from engines.interpolation.evidence import distrust
from engines.interpolation.timeline import Timeline, moment_at
from engines.media.clip import Clip


def shot(seed: int, count: int, speed: int = 2) -> np.ndarray:
    """A panning texture, uint8 [T, 72, 96, 3]."""
    random = np.random.default_rng(seed)
    large = cv2.GaussianBlur(random.random((72, 96 + speed * count, 3)).astype(np.float32), (0, 0), 3)
    large = (large - large.min()) / (large.max() - large.min()) * 255
    return np.stack([large[:, speed * t : speed * t + 96] for t in range(count)]).astype(np.uint8)


def cuts_of(frames: np.ndarray) -> list[int]:
    timeline = Timeline(ClipFootage(Clip(frames, Fraction(24))), True, False)
    return [near.centre.number for near in timeline.around(range(len(frames))) if near.centre.begins_shot][1:]


def test_cuts_are_found_where_they_are() -> None:
    frames = np.concatenate([shot(1, 8), shot(2, 6), shot(3, 8)])
    assert cuts_of(frames) == [8, 14]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_flash_is_no_cut(length: int) -> None:
    frames = shot(1, 16)
    frames[6 : 6 + length] = 255 - frames[6 : 6 + length] // 12
    assert cuts_of(frames) == []


def test_fast_motion_and_a_fade_are_no_cuts() -> None:
    assert cuts_of(shot(4, 12, speed=9)) == []
    faded = (shot(5, 12) * np.linspace(1, 0.1, 12)[:, None, None, None]).astype(np.uint8)
    assert cuts_of(faded) == []


def test_two_frames_alone_are_enough_to_see_a_cut() -> None:
    assert is_cut([grey(shot(1, 1)[0])], [grey(shot(2, 1)[0])])
    assert not is_cut([grey(shot(1, 2)[0])], [grey(shot(1, 2)[1])])


def test_nothing_lies_between_two_shots() -> None:
    frames = np.concatenate([shot(1, 5), shot(2, 5)])
    timeline = Timeline(ClipFootage(Clip(frames, Fraction(24))), True, False)
    moments = [moment_at(near, Fraction(1, 2)) for near in timeline.around(range(10))]
    assert moments[4].share == 0
    np.testing.assert_array_equal(moments[4].first, frames[4])
    np.testing.assert_array_equal(moments[5].first, frames[5])
    assert moments[9].share == 0 or (moments[9].first == frames[9]).all()


def test_repeated_frames_are_passed_over_and_a_still_stretch_stands() -> None:
    moving = shot(1, 6, speed=5)
    on_twos = np.repeat(moving, 2, 0)
    timeline = Timeline(ClipFootage(Clip(on_twos, Fraction(24))), True, True)
    moments = {near.centre.number: moment_at(near, Fraction(0)) for near in timeline.around(range(12))}
    assert moments[3].share == Fraction(1, 2)
    np.testing.assert_array_equal(moments[3].first, moving[1])
    np.testing.assert_array_equal(moments[3].second, moving[2])
    still = np.concatenate([moving[:2], np.repeat(moving[1:2], 8, 0), moving[2:3]])
    timeline = Timeline(ClipFootage(Clip(still, Fraction(24))), True, True)
    held = {near.centre.number: moment_at(near, Fraction(1, 2)) for near in timeline.around(range(len(still)))}
    np.testing.assert_array_equal(held[5].first, held[5].second)


def test_a_moment_knows_frames_on_which_flow_can_be_checked() -> None:
    frames = np.concatenate([shot(1, 6), shot(2, 4)])
    timeline = Timeline(ClipFootage(Clip(frames, Fraction(24))), True, False)
    moments = [moment_at(near, Fraction(1, 2)) for near in timeline.around(range(10))]
    assert [len(moment.checks) for moment in moments[:5]] == [1, 2, 2, 2, 1]
    check, known = moments[2].checks[0]
    np.testing.assert_array_equal(known, frames[2])
    np.testing.assert_array_equal(check.first, frames[1])
    np.testing.assert_array_equal(check.second, frames[3])
    assert check.share == Fraction(1, 2)


def test_flow_that_fails_on_known_frames_is_not_believed() -> None:
    frames = shot(1, 6)
    timeline = Timeline(ClipFootage(Clip(frames, Fraction(24))), True, False)
    moment = [moment_at(near, Fraction(1, 2)) for near in timeline.around(range(6))][2]
    truth = {id(check): known for check, known in moment.checks}
    assert distrust(moment, lambda check: truth[id(check)]) == 0
    assert distrust(moment, lambda check: 255 - truth[id(check)]) == 1
    assert distrust(replace(moment, checks=()), lambda check: check.first) == 0
