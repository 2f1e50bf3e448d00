"""Whether flow is to be believed between two frames: it is asked for frames that are known.

A thing that turns or jumps inside the gap leaves two frames that agree on a way that was not gone. At twice the
distance the same way can be looked at.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engines.footage.footage import Frame
from engines.interpolation.timeline import Moment

# Measured (docs/LOG.md): 1.26 where flow was wrong, 0.01 … 1.06 where it was right.
DOUBTFUL, WRONG = 1.15, 1.35


def distrust(moment: Moment, flowed: Callable[[Moment], Frame]) -> float:
    """0 where flow makes the known frames better than a blend does, 1 where it clearly does not.

    Args:
        moment: With its checks; without any, flow is believed.
        flowed: Makes the frame of a moment by flow.
    """
    errors = [(_apart(flowed(check), known), _apart(blended(check), known)) for check, known in moment.checks]
    by_flow, by_blend = (sum(column) for column in zip(*errors, strict=True)) if errors else (0.0, 0.0)
    if by_blend <= 0:
        return 0.0
    return float(np.clip((by_flow / by_blend - DOUBTFUL) / (WRONG - DOUBTFUL), 0, 1))


def blended(moment: Moment) -> Frame:
    """The two frames mixed by their distance."""
    share = float(moment.share)
    mixed = moment.first.astype(np.float32) * (1 - share) + moment.second.astype(np.float32) * share
    return rounded(mixed, moment.first)


def rounded(values: npt.NDArray[np.float32], like: Frame) -> Frame:
    """Levels as a frame of this type."""
    if like.dtype == np.uint8:
        return np.rint(values).astype(np.uint8)
    return np.rint(values).astype(np.uint16)


def _apart(made: Frame, known: Frame) -> float:
    return float(np.square(made.astype(np.float32) - known).mean(dtype=np.float64))
