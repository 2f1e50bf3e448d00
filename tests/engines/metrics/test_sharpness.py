"""Gradient energy: what it is of a ramp, how it grows, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from engines.errors import InvalidRequest
from engines.metrics.sharpness import gradient_energy


def test_a_ramp_has_the_square_of_its_slope() -> None:
    ramp = np.broadcast_to(np.arange(0, 60, 3, dtype=np.uint8)[None, None, :, None], (2, 12, 20, 3))
    assert gradient_energy(np.ascontiguousarray(ramp)) == pytest.approx((3 / 255) ** 2, rel=1e-5)


def test_twice_the_contrast_is_four_times_the_energy() -> None:
    noise = np.random.default_rng(0).integers(0, 100, (2, 16, 16, 3), dtype=np.uint8)
    assert gradient_energy(noise * np.uint8(2)) == pytest.approx(4 * gradient_energy(noise), rel=1e-5)


def test_brightness_alone_has_none() -> None:
    assert gradient_energy(np.full((1, 8, 8, 3), 200, np.uint8)) == 0


def test_a_single_row_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        gradient_energy(np.zeros((1, 1, 8, 3), np.uint8))
    assert caught.value.fix == "Give frames of at least 2 × 2 pixels."
