"""Mattes that are known, for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt


class KnownMattes:
    """Of every frame one. mattes: float32 [T, H, W]."""

    def __init__(self, mattes: npt.NDArray[np.float32]) -> None:
        self._mattes = mattes

    def mattes(self, wanted: range) -> Iterator[npt.NDArray[np.float32]]:
        for number in wanted:
            yield self._mattes[number]
