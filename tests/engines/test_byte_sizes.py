"""Sizes in words."""

from __future__ import annotations

import pytest

from engines.byte_sizes import spoken_bytes


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 MB"),
        (1, "1 MB"),
        (12_400_000, "12 MB"),
        (999_700_000, "1.0 GB"),
        (1_240_000_000, "1.2 GB"),
        (3 * 10**10, "30 GB"),
    ],
)
def test_sizes_as_they_are_said(size: int, words: str) -> None:
    assert spoken_bytes(size) == words
