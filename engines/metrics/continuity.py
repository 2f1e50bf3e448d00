"""Whether a long clip made of chunks hangs together.

Shape legend: T frames, H rows, W columns, K chunks. `borders` are the first frames of all chunks but the first,
increasing, 1 … T − 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.errors import InvalidRequest
from engines.metrics.checks import Frames, check_clip

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Drift:
    """Each chunk against the first one; all float64 [K], 0 for the first chunk.

    Attributes:
        channel_mean: Largest change of a colour channel's mean, 0 … 1.
        contrast: Change of the standard deviation of brightness, relative: −1 is flat, +1 doubled.
        identity: Change of identity, None if it was not asked for.
    """

    channel_mean: Floats
    contrast: Floats
    identity: Floats | None


def seam_jump(frames: Frames, borders: Sequence[int]) -> float:
    """Largest frame change at a chunk border / median frame change of the clip; about 1 is a seam that cannot be seen.

    A frame change is the mean absolute difference of neighbouring frames.

    Args:
        frames: uint8 [T, H, W, 3], T ≥ 3.
        borders: As above, at least one.

    Raises: InvalidRequest on wrong borders, or if half of the frames equal their neighbour (there is no median change).
    """
    check_clip(frames, "frames", least=3)
    _check_borders(borders, len(frames))
    change = _frame_changes(frames)
    middle = float(np.median(change))
    if middle == 0:
        raise InvalidRequest(
            "Half of the frames equal the one before them: there is no median change to compare seams with.",
            "Measure seams on a clip that moves.",
            field="frames",
        )
    return float(max(change[border - 1] for border in borders) / middle)


def drift(frames: Frames, borders: Sequence[int], identity_of: Callable[[Frames], float] | None = None) -> Drift:
    """How far each chunk has gone from the first in colour, contrast and identity.

    Args:
        frames: uint8 [T, H, W, 3], T ≥ 2.
        borders: As above, at least one.
        identity_of: Gives the identity of a chunk's frames (engines.metrics.identity), or None.

    Raises: InvalidRequest on wrong borders, or if the first chunk is one flat grey (contrast has nothing to refer to).
    """
    check_clip(frames, "frames", least=2)
    _check_borders(borders, len(frames))
    chunks = np.split(frames, list(borders))
    means = np.stack([chunk.mean((0, 1, 2), dtype=np.float64) / 255 for chunk in chunks])
    contrasts = np.array([_contrast(chunk) for chunk in chunks])
    if contrasts[0] == 0:
        raise InvalidRequest(
            "The first chunk is of one flat grey.", "Measure drift on a clip that shows something.", field="frames"
        )
    identities = None if identity_of is None else np.array([identity_of(chunk) for chunk in chunks])
    return Drift(
        channel_mean=np.abs(means - means[0]).max(1),
        contrast=contrasts / contrasts[0] - 1,
        identity=None if identities is None else identities - identities[0],
    )


def _frame_changes(frames: Frames) -> Floats:
    """float64 [T − 1], pair by pair, so that a long clip is not copied as floats."""
    pairs = itertools.pairwise(frames)
    return np.array([np.abs(b.astype(np.int16) - a.astype(np.int16)).mean(dtype=np.float64) / 255 for a, b in pairs])


def _contrast(chunk: Frames) -> float:
    """Standard deviation of brightness inside the frames, mean over them."""
    return float(np.mean([frame.mean(-1, dtype=np.float64).std() / 255 for frame in chunk]))


def _check_borders(borders: Sequence[int], count: int) -> None:
    rising = all(a < b for a, b in itertools.pairwise(borders))
    if not borders or not rising or borders[0] < 1 or borders[-1] > count - 1:
        raise InvalidRequest(
            f"borders = {list(borders)} for a clip of {count} frames.",
            f"Give increasing frame numbers between 1 and {count - 1}: the first frame of every chunk but the first.",
            field="borders",
        )
