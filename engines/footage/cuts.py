"""Where one shot ends and another begins, and which frames only repeat the one before.

Both are said of small grey pictures, 128 pixels long, so that they cost next to nothing.

Shape legend: h rows, w columns of such a picture, uint8 [h, w].
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from engines.footage.alignment import eight_bit
from engines.footage.footage import Frame
from engines.media.optical_flow import SMALLEST_SIDE, optical_flow, warp

Grey = npt.NDArray[np.uint8]
LONGEST_SIDE = 128
# Correlation after alignment, measured on 5 films (docs/LOG.md): cuts 0.12 … 0.42, fast motion 0.41 and more, but
# then its neighbours are low as well.
UNLIKE = 0.5
BELOW_NEIGHBOURS = 0.7
SMOOTH_FLOW = 6.0
# A flash or a flicker is over within so many frames, and what was there before is there again.
FLASH_FRAMES = 3
# Grey levels of 255, after a blur that takes compression noise out.
SAME_EVERYWHERE = 1.5


def grey(frame: Frame) -> Grey:
    """A frame as a small grey picture."""
    small = eight_bit(frame)
    height, width = small.shape[:2]
    factor = min(1.0, LONGEST_SIDE / max(height, width))
    size = (max(SMALLEST_SIDE, round(width * factor)), max(SMALLEST_SIDE, round(height * factor)))
    return np.asarray(cv2.resize(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA), np.uint8)


def is_cut(before: Sequence[Grey], after: Sequence[Grey]) -> bool:
    """Whether a shot ends between the last of `before` and the first of `after`.

    Both sides are unlike even after alignment, clearly more than the pairs beside them (motion lasts, a cut does not),
    and what was there does not come back within a few frames (a flash does).

    Args:
        before, after: Up to FLASH_FRAMES + 1 frames on either side, in order, at least one each.
    """
    here = likeness(before[-1], after[0])
    if here >= UNLIKE:
        return False
    beside = [likeness(*pair) for pair in (before[-2:], after[:2]) if len(pair) == 2]
    if beside and here > BELOW_NEIGHBOURS * min(beside):
        return False
    returns = [(before[-1], later) for later in after[1:]] + [(earlier, after[0]) for earlier in before[:-1]]
    return all(likeness(first, second) < UNLIKE for first, second in returns)


def likeness(first: Grey, second: Grey) -> float:
    """Correlation of a picture with another one that was laid over it along optical flow: −1 … 1.

    Flow is sought on equalised pictures, and correlation knows no brightness: a fade is like its frames. It is
    smoothed, for any picture can be bent into another one, blob by blob; things move together.
    """
    found = optical_flow(cv2.equalizeHist(first).astype(np.uint8), cv2.equalizeHist(second).astype(np.uint8))
    flow = np.asarray(cv2.GaussianBlur(found, (0, 0), SMOOTH_FLOW), np.float32)
    one, other = (values - values.mean() for values in (first.astype(np.float32), warp(second, flow)))
    spread = float(np.sqrt(np.square(one).mean() * np.square(other).mean()))
    if spread < 1e-3:  # a picture of one colour is like another one of one colour, and like nothing else
        return 1.0 if max(one.std(), other.std()) < 1 else 0.0
    return float((one * other).mean()) / spread


def repeats(first: Grey, second: Grey) -> bool:
    """Whether the second picture shows the same as the first, but for compression noise."""
    apart = cv2.absdiff(first, second).astype(np.float32)
    return float(cv2.GaussianBlur(apart, (0, 0), 1.0).max()) < SAME_EVERYWHERE
