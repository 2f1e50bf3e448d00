"""What a person would have without the network.

Shape legend: H rows, W columns; frames are uint8 [H, W, 3].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engines.media.optical_flow import optical_flow, warp

Frame = npt.NDArray[np.uint8]
Between = Callable[[Frame, Frame, float], Frame]


def repeat(first: Frame, second: Frame, share: float) -> Frame:
    """The nearer frame."""
    return first if share <= 0.5 else second


def linear(first: Frame, second: Frame, share: float) -> Frame:
    """A cross-fade."""
    return _rounded((1 - share) * first.astype(np.float32) + share * second.astype(np.float32))


def flow_warp(first: Frame, second: Frame, share: float) -> Frame:
    """Both frames moved to the moment along DIS flow, and cross-faded."""
    from_first, from_second = optical_flow(first, second), optical_flow(second, first)
    moved_first = warp(first, np.asarray(share * from_second, np.float32))
    moved_second = warp(second, np.asarray((1 - share) * from_first, np.float32))
    return _rounded((1 - share) * moved_first + share * moved_second)


BASELINES: dict[str, Between] = {"repeat": repeat, "linear": linear, "flow_warp": flow_warp}


def _rounded(values: npt.NDArray[np.float32]) -> Frame:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
