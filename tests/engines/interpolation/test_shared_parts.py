"""What both pictures share is kept; what only one shows, or what passes, is the model's."""

from __future__ import annotations

import numpy as np

from engines.interpolation.shared_parts import with_shared_parts


def test_shared_parts_are_the_pictures_and_the_rest_is_the_models() -> None:
    first, last = (np.full((32, 32, 3), 100, np.uint8) for _ in range(2))
    first[:, :8] = 200  # what only the first picture shows
    last[:, :16] = last[:, :16] + 4  # a little brighter: still the same
    made = np.full((5, 32, 32, 3), 110, np.uint8)
    made[2, :, 26:] = 220  # something passes
    kept = with_shared_parts(made, first, last)
    assert np.array_equal(kept[:, 16, 20], np.full((5, 3), 100, np.uint8))
    assert kept[4, 16, 13].tolist() == [104, 104, 104]
    assert kept[2, 16, 13].tolist() == [102, 102, 102]
    assert np.array_equal(kept[:, 16, 3], made[:, 16, 3])
    assert np.array_equal(kept[2, 16, 29], made[2, 16, 29])
    assert kept[1, 16, 29].tolist() == [100, 100, 100]
    assert np.array_equal(with_shared_parts(made, first, 255 - first), made)
