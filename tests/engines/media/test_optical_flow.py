"""Flow of a known shift, and warping back along it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.errors import MediaError
from engines.media.optical_flow import optical_flow, visible_in_both, warp


def textured(seed: int = 0, size: int = 80) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(128, 60, (size, size, 3)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(noise, (0, 0), 2) * 3 - 256, 0, 255).astype(np.uint8)


def test_a_shift_is_found_in_direction_and_length() -> None:
    picture = textured()
    moved = np.roll(picture, (3, 5), axis=(0, 1))
    flow = optical_flow(picture, moved)[16:-16, 16:-16]
    assert flow.dtype == np.float32
    assert np.median(flow[..., 0]) == pytest.approx(5, abs=0.1)
    assert np.median(flow[..., 1]) == pytest.approx(3, abs=0.1)


def test_warping_along_the_flow_brings_the_second_frame_onto_the_first() -> None:
    picture = textured()
    moved = np.roll(picture, 4, axis=1)
    back = warp(moved, optical_flow(picture, moved))
    inside = np.s_[10:-10, 10:-10]
    before = np.abs(moved[inside].astype(float) - picture[inside]).mean()
    assert np.abs(back[inside] - picture[inside]).mean() < 0.1 * before


def test_the_warp_looks_up_where_the_flow_points() -> None:
    ramp = np.tile(np.arange(32, dtype=np.float32), (20, 1))
    flow = np.zeros((20, 32, 2), np.float32)
    flow[..., 0] = 2.5
    warped = warp(ramp, flow)
    np.testing.assert_allclose(warped[:, :28], ramp[:, :28] + 2.5, atol=1e-4)
    np.testing.assert_allclose(warped[:, 30:], 31, atol=1e-4)  # outside, the edge is repeated


def test_only_flow_that_returns_is_visible_in_both() -> None:
    forward = np.zeros((20, 32, 2), np.float32)
    forward[..., 0] = 4
    backward = -forward
    backward[:, 20:] = 4  # what lies there came from somewhere else
    visible = visible_in_both(forward, backward)
    assert visible[:, :15].all()
    assert not visible[:, 17:].any()
    assert not visible_in_both(forward, -forward)[:, -4:].any()  # leaves the frame


@pytest.mark.parametrize(
    ("a", "b", "fix"),
    [
        (np.zeros((8, 40, 3), np.uint8), np.zeros((8, 40, 3), np.uint8), "at least 16 × 16"),
        (np.zeros((32, 32, 3), np.uint8), np.zeros((32, 40, 3), np.uint8), "two frames of equal shape"),
        (np.zeros((32, 32, 3), np.float32), np.zeros((32, 32, 3), np.uint8), "uint8 frames"),
        (np.zeros((32, 32, 4), np.uint8), np.zeros((32, 32, 4), np.uint8), "uint8 frames"),
    ],
)
def test_frames_that_have_no_flow_are_named(a: np.ndarray, b: np.ndarray, fix: str) -> None:
    with pytest.raises(MediaError) as caught:
        optical_flow(a, b)
    assert fix in caught.value.fix
