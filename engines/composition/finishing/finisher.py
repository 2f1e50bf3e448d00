"""Small clips become larger and smoother. No torch here before a stage is asked for."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from engines.interpolation.engine import InterpolationEngine, check_weights
from engines.media.metadata import OutputRecord
from engines.super_resolution.engine import SuperResolutionEngine
from engines.super_resolution.request import UpscaleRequest

if TYPE_CHECKING:
    from engines.footage.footage import Footage

LARGEST_SIDE = 256
FACTOR = 4
TIMES = 2
# A faster clip is smooth enough, and a GIF can hold no more.
SMOOTH_FPS = 50
# Nearest to the truth on drawn clips without noise; measured in docs/LOG.md. The clip is a stage: there is no file.
ENLARGING = UpscaleRequest(video=Path("clip"), factor=FACTOR, detail=0.5, denoise=0.0)
WHAT_IT_DOES = f"Make a small video (up to {LARGEST_SIDE} pixels) four times larger"


def is_small(width: int, height: int) -> bool:
    """Whether a clip of this size is finished where it is asked for."""
    return max(width, height) <= LARGEST_SIDE


class Finisher:
    """See engines.footage.finishing. Networks are kept between clips.

    Args:
        smooths: Whether clips get twice as many frames, too.
    """

    def __init__(self, smooths: bool = True) -> None:
        self._smooths = smooths
        self._larger = SuperResolutionEngine()
        self._smoother = InterpolationEngine()

    def check(self) -> None:
        """Raises: NotAvailable if a network is not on this machine."""
        self._larger.model(ENLARGING)
        if self._smooths:
            check_weights()

    def takes(self, width: int, height: int) -> bool:
        return is_small(width, height)

    def stage(self, clip: Footage, fps: Fraction | None = None) -> Footage:
        from engines.interpolation.interpolated import Rate

        larger = self._larger.stage(ENLARGING, clip) if self.takes(clip.width, clip.height) else clip
        if fps is None:
            fps = clip.fps * TIMES if clip.fps * TIMES <= SMOOTH_FPS else clip.fps
        if not self._smooths or clip.count == 1 or fps <= clip.fps:
            return larger
        # What a model made holds neither cuts nor frames that were drawn twice.
        return self._smoother.stage(larger, Rate(fps), find_cuts=False, drop_repeats=False)

    def recorded(self, made: OutputRecord) -> OutputRecord:
        weights = {"upscaling": self._larger.model(ENLARGING)}
        if self._smooths:
            weights["interpolation"] = self._smoother.model()
        dtype = self._larger.fingerprint(ENLARGING)["dtype"]
        return made.model_copy(
            update={
                "model": {**made.model, "finishing": weights},
                "fingerprint": {**made.fingerprint, "finishing_dtype": dtype},
            }
        )
