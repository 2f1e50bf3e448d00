"""What a stage takes and gives: frames that can be asked for by number.

Shapes: H rows, W columns, 3 channels red green blue.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from engines.media.clip import Clip

Frame: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


class Footage(Protocol):
    """Frames at a constant rate, made when they are asked for.

    A frame depends on its number alone, never on which frames were asked for before or together with it: so a chunk
    that is rendered again after a crash is the same. A stage that needs neighbours asks its source for a few more
    frames than it is asked for. Stages are nested: `Interpolated(Upscaled(VideoFootage(path), …), …)`.

    Attributes:
        height, width: Of every frame, pixels.
        fps: Frames per second.
        count: Number of frames.
    """

    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def fps(self) -> Fraction: ...
    @property
    def count(self) -> int: ...

    def frames(self, wanted: range) -> Iterator[Frame]:
        """The frames of these numbers (step 1, inside 0 … count), in order, RGB uint8 or uint16 [H, W, 3].

        Streams: holds a constant number of frames, however many are wanted.
        """
        ...


class ClipFootage:
    """A clip in memory as footage."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self.count, self.height, self.width = (int(size) for size in clip.frames.shape[:3])
        self.fps = clip.fps

    def frames(self, wanted: range) -> Iterator[Frame]:
        for index in wanted:
            yield self._clip.frames[index]
