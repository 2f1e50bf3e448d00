"""One step of a mask: along with its thing, without what is not its, and at the edges that the picture has.

Shape legend: H rows, W columns.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.selection.propagate import blended, carried, working_size
from tests.engines.selection.scenes import overlap

HEIGHT, WIDTH, STEP = 192, 256, 5


def texture(seed: int, base: tuple[int, int, int]) -> np.ndarray:
    """Soft blobs around a colour, float64 [H, W, 3]."""
    noise = np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH, 1)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.array(base) + 25 * (soft / soft.std())[..., None]


def moved(step: int) -> tuple[np.ndarray, np.ndarray]:
    """A textured disc that goes STEP pixels to the right per step over a ground that stands: picture and mask."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    disc = (rows - 96) ** 2 + (columns - 90 - STEP * step) ** 2 < 36**2
    skin = np.roll(texture(1, (190, 90, 60)), STEP * step, axis=1)
    frame = np.where(disc[..., None], skin, texture(2, (70, 110, 150)))
    return frame.round().clip(0, 255).astype(np.uint8), disc


def walked(mask: np.ndarray, steps: int) -> np.ndarray:
    """The mask after so many steps, float32."""
    soft = mask.astype(np.float32)
    for step in range(steps):
        soft = carried(soft, moved(step)[0], moved(step + 1)[0])
    return soft


def test_a_mask_goes_with_its_thing() -> None:
    found, truth = walked(moved(0)[1], 6), moved(6)[1]
    assert found.dtype == np.float32
    assert overlap(found > 0.5, truth) > 0.95
    assert overlap(moved(0)[1], truth) < 0.5, "or it need not have moved"


def test_what_moves_with_the_background_falls_off() -> None:
    leaked = moved(0)[1].copy()
    leaked[70:120, 30:60] = True
    assert overlap(leaked, moved(0)[1]) < 0.85
    assert overlap(walked(leaked, 4) > 0.5, moved(4)[1]) > 0.93


def test_backwards_in_time_is_the_same_step() -> None:
    (before, truth), (after, mask) = moved(0), moved(1)
    assert overlap(carried(mask.astype(np.float32), after, before) > 0.5, truth) > 0.95


def test_an_empty_mask_stays_empty_and_a_picture_that_stands_keeps_its_mask() -> None:
    (before, mask), (after, _) = moved(0), moved(1)
    assert not carried(np.zeros((HEIGHT, WIDTH), np.float32), before, after).any()
    rough = mask.copy()
    rough[60:64, 120:140] = True  # somebody's own stroke, at no edge of the picture
    np.testing.assert_array_equal(carried(rough.astype(np.float32), before, before) > 0.5, rough)


def test_blended_masks_keep_what_both_say_and_lay_the_rest_to_the_edge() -> None:
    picture, truth = moved(2)
    left, right = (np.roll(truth, way, axis=1).astype(np.float32) for way in (-6, 6))
    found = blended(picture, left, right, 0.5) > 0.5
    assert found[(left > 0.5) & (right > 0.5)].all()
    assert not found[(left < 0.5) & (right < 0.5)].any()
    assert overlap(found, truth) > 0.9
    np.testing.assert_array_equal(blended(picture, right, right, 0.3), right)


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (96, 96, (192, 192)),
        (1080, 1920, (252, 448)),
        (300, 400, (300, 400)),
        (20, 30, (80, 120)),
        (720, 405, (448, 252)),
    ],
)
def test_the_working_size_keeps_the_shape(height: int, width: int, size: tuple[int, int]) -> None:
    assert working_size(height, width) == size
