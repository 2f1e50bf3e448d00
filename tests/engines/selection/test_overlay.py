"""What is selected looks selected, and what is not stays as it was."""

from __future__ import annotations

import numpy as np
import pytest

from engines.selection.overlay import TINT, overlaid

FRAME = np.full((160, 200, 3), 100, np.uint8)


def square() -> np.ndarray:
    mask = np.zeros((160, 200), np.uint8)
    mask[40:120, 60:140] = 255
    return mask


@pytest.mark.parametrize("kind", ["uint8", "float32", "uint16 frame"])
def test_inside_is_tinted_the_border_is_outlined_the_rest_is_left_alone(kind: str) -> None:
    mask = square() if kind == "uint8" else square().astype(np.float32) / 255
    frame = FRAME.astype(np.uint16) * np.uint16(257) if kind == "uint16 frame" else FRAME
    before = frame.copy()
    shown = overlaid(frame, mask)
    assert (shown.shape, shown.dtype) == (FRAME.shape, np.uint8)
    np.testing.assert_array_equal(frame, before)
    assert (shown[80, 100].astype(int) - 100 > 0).tolist() == [colour > 100 for colour in TINT]
    assert (shown[40, 60:140] == 255).all(), "the outline"
    np.testing.assert_array_equal(shown[:35], FRAME[:35])


def test_a_thumbnail_shows_more_than_outlines() -> None:
    mask = np.zeros((24, 24), np.uint8)
    mask[8:16, 8:16] = 255
    shown = overlaid(np.zeros((24, 24, 3), np.uint8), mask)
    assert (shown == 0).all(-1).sum() == 24 * 24 - 64
    assert (shown[9:15, 9:15] != 255).any(-1).all()


def test_another_size_is_a_bug() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        overlaid(FRAME, np.zeros((20, 20), np.uint8))
