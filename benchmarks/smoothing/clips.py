"""Clips with frames held back, by number; none was chosen by its looks.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.upscaling.clips import FULL, QUICK, truth_of
from engines.diorama.clip_spec import ClipSpec, held_out_specs
from engines.diorama.render import render

Frames = npt.NDArray[np.uint8]
REAL_FRAMES = 17
DIORAMA_CLIPS, QUICK_DIORAMA_CLIPS = 22, 6
# A clip of 17 frames, rendered at four times its rate.
DIORAMA_FRAMES, DIORAMA_STEP = 65, 4
FIRST_SEED = 800_000


@dataclass(frozen=True)
class HeldBack:
    """A true clip of which every `step`-th frame is given.

    Attributes:
        name: For good.
        truth: uint8 [T, H, W, 3], T − 1 a multiple of step.
    """

    name: str
    truth: Frames
    step: int

    @property
    def given(self) -> Frames:
        return np.ascontiguousarray(self.truth[:: self.step])

    @property
    def hidden(self) -> list[int]:
        """Numbers of the frames that are held back."""
        return [index for index in range(len(self.truth)) if index % self.step]


def real_clips(quick: bool) -> list[tuple[str, int]]:
    """(source, first frame)."""
    if quick:
        return sorted({(name, first) for name, first, _ in QUICK})
    return [(name, first) for name, firsts in FULL.items() for first in firsts]


def load_real(source: str, first: int) -> HeldBack:
    """Every second frame is held back."""
    return HeldBack(f"{source} from {first}", truth_of(source, first, REAL_FRAMES)[0], 2)


def diorama_specs(quick: bool) -> list[ClipSpec]:
    count = QUICK_DIORAMA_CLIPS if quick else DIORAMA_CLIPS
    return held_out_specs(count, FIRST_SEED, frames=DIORAMA_FRAMES)


def load_diorama(spec: ClipSpec) -> HeldBack:
    """Three of four frames are held back."""
    name = f"{spec.noun}, {spec.motion}, {spec.scene}"
    return HeldBack(name, render(spec, with_flow=False).frames, DIORAMA_STEP)


def with_flash(frames: Frames, at: int, length: int) -> Frames:
    """The frames from `at` on are nearly white for so long."""
    lit: Any = frames.copy()
    lit[at : at + length] = 255 - lit[at : at + length] // 10
    flashed: Frames = lit
    return flashed
