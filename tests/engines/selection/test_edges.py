"""A rough matte takes the picture's edges, at the picture's size, and is otherwise left as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.selection.edges import refined
from engines.selection.sizes import resized


def pictured() -> tuple[np.ndarray, np.ndarray]:
    """An orange disc on blue of the same brightness, uint8 [240, 320, 3], and where it is: only colour tells."""
    rows, columns = np.mgrid[0:240, 0:320]
    disc = (rows - 120) ** 2 + (columns - 160) ** 2 < 70**2
    picture = np.where(disc[..., None], (200, 110, 40), (40, 120, 225)).astype(np.float64)
    noisy = picture + np.random.default_rng(0).normal(0, 3, picture.shape)
    return noisy.round().clip(0, 255).astype(np.uint8), disc


@pytest.mark.parametrize("shrunk", [1, 2, 4])
def test_a_blurred_matte_becomes_the_disc(shrunk: int) -> None:
    picture, disc = pictured()
    size = (240 // shrunk, 320 // shrunk)
    rough = np.asarray(cv2.GaussianBlur(resized(disc.astype(np.float32), size), (0, 0), 4 / shrunk), np.float32)
    before, found = resized(rough, (240, 320)), refined(rough, picture)
    assert (found.shape, found.dtype) == ((240, 320), np.float32)
    assert found.min() >= 0
    assert found.max() <= 1
    error_before, error = (float(np.abs(matte - disc).mean()) for matte in (before, found))
    print(f"mean error before {error_before:.4f}, after {error:.4f}")
    assert error < 0.6 * error_before


def test_sixteen_bits_are_seen_as_eight() -> None:
    picture, disc = pictured()
    rough = disc.astype(np.float32)
    deep = picture.astype(np.uint16) * np.uint16(257)
    np.testing.assert_array_equal(refined(rough, deep), refined(rough, picture))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nothing_stays_nothing_and_everything_everything(value: float) -> None:
    picture, _ = pictured()
    np.testing.assert_allclose(refined(np.full((120, 160), value, np.float32), picture), value, atol=1e-3)
