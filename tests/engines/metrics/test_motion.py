"""How much moves, against rendered truth whose flow is exact."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.diorama.clip_spec import ClipSpec
from engines.diorama.render import render
from engines.errors import InvalidRequest
from engines.metrics.motion import flow_ratio, motion_in_band, motion_ratio, object_flow, static_share
from tests.engines.metrics.worlds import rendered

MOTIONS = ("slides left", "bounces", "spins", "grows", "circles")


@pytest.mark.parametrize("motion", MOTIONS)
def test_estimated_flow_is_near_the_renderers(motion: str) -> None:
    clip = rendered(motion=motion)
    lengths = [
        np.linalg.norm(flow[mask > 0.5], axis=-1).mean()
        for flow, mask in zip(clip.truth.flow, clip.truth.mask, strict=False)
    ]
    seen = object_flow(clip.frames, (clip.truth.mask > 0.5).any(0))
    assert 0.5 <= seen / np.mean(lengths) <= 1.5


def test_a_blurred_true_render_moves_as_much_as_it_should() -> None:
    truths = [rendered(motion=motion) for motion in MOTIONS]
    ratios = [
        flow_ratio(
            np.stack([cv2.GaussianBlur(frame, (0, 0), 1.2) for frame in clip.frames]), clip.frames, clip.truth.mask
        )
        for clip in truths
    ]
    assert 0.9 <= motion_ratio(ratios) <= 1.1
    assert motion_in_band(ratios) == 1
    assert static_share(ratios) == 0


def test_half_the_speed_is_half_the_motion() -> None:
    fast = render(ClipSpec("fox", "slides right", "beach", 3))
    slow = render(ClipSpec("fox", "slides right", "beach", 3, frames=33))
    assert flow_ratio(slow.frames[:17], fast.frames, fast.truth.mask) == pytest.approx(0.5, abs=0.1)


def test_whole_frames_are_measured_where_the_object_may_be_anywhere() -> None:
    ratios = []
    for motion in MOTIONS:
        truth, other = rendered(motion=motion, seed=3), rendered(motion=motion, seed=8)
        ratios.append(flow_ratio(other.frames, truth.frames, None))
        frozen = np.repeat(other.frames[:1], 17, axis=0)
        assert flow_ratio(frozen, truth.frames, None) < 0.1
    assert 0.5 <= motion_ratio(ratios) <= 1.5


def test_a_frozen_clip_is_static_even_if_it_flickers() -> None:
    clip = rendered()
    frozen = np.repeat(clip.frames[:1], 17, axis=0)
    patches = np.random.default_rng(0).normal(0, 4, (17, 6, 6, 3))
    unsteady = frozen + np.stack([cv2.resize(patch, (96, 96)) for patch in patches])
    ratios = [
        flow_ratio(frozen, clip.frames, clip.truth.mask),
        flow_ratio(np.clip(unsteady, 0, 255).astype(np.uint8), clip.frames, clip.truth.mask),
    ]
    assert ratios[0] < 0.1
    assert ratios[1] < 0.2
    assert static_share(ratios[:1]) == 1
    assert motion_in_band(ratios) == 0


def test_the_clips_are_summarised_by_median_and_shares() -> None:
    ratios = [0.05, 0.4, 0.9, 1.5, 7.0]
    assert motion_ratio(ratios) == 0.9
    assert motion_in_band(ratios) == pytest.approx(0.4)
    assert static_share(ratios) == pytest.approx(0.2)


def test_a_flat_result_does_not_move() -> None:
    clip = rendered()
    assert flow_ratio(np.full_like(clip.frames, 90), clip.frames, clip.truth.mask) == 0


def test_what_has_no_motion_ratio_is_named() -> None:
    clip, still = rendered(), rendered(motion="stays still")
    with pytest.raises(InvalidRequest) as caught:
        flow_ratio(still.frames, still.frames, still.truth.mask)
    assert caught.value.fix == "Leave clips that stay still out of the motion ratio."
    with pytest.raises(InvalidRequest) as caught:
        flow_ratio(clip.frames, clip.frames, np.zeros_like(clip.truth.mask))
    assert caught.value.fix == "Give masks that hold the object in at least one frame."
    with pytest.raises(InvalidRequest) as caught:
        flow_ratio(clip.frames[:1], clip.frames[:1], clip.truth.mask[:1])
    assert caught.value.fix == "Give a clip of at least 2 frames."
    with pytest.raises(InvalidRequest) as caught:
        motion_ratio([1.0, float("nan")])
    assert "1 value of 2" in caught.value.message
    with pytest.raises(InvalidRequest) as caught:
        static_share([])
    assert caught.value.fix == "Give at least one value for ratios."
