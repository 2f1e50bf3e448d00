"""A clip that fits into memory, and its sound.

Shapes: T frames, H rows, W columns, 3 channels red green blue.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Frames: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Samples: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True)
class AudioTrack:
    """Sound from the first frame on.

    Attributes:
        samples: float32 [channels, samples], -1 … 1.
        sample_rate: Samples per second.
    """

    samples: Samples
    sample_rate: int

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[1] / self.sample_rate)


@dataclass(frozen=True)
class Clip:
    """Frames at a constant rate.

    Attributes:
        frames: uint8 or uint16 [T, H, W, 3], RGB with BT.709 primaries, full range.
        fps: Frames per second.
        audio: Sound that starts with the first frame, or None.
    """

    frames: Frames
    fps: Fraction
    audio: AudioTrack | None = None

    @property
    def seconds(self) -> float:
        return float(Fraction(len(self.frames)) / self.fps)
