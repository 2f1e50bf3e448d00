"""Footage, larger: denoised along motion, through the network, tied to what was filmed, steadied along motion.

Shape legend: h rows, w columns of the source; H, W of the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import torch

from engines.footage.alignment import eight_bit
from engines.footage.footage import Footage, Frame
from engines.footage.neighbours import Near, with_neighbours
from engines.super_resolution.denoising import denoise
from engines.super_resolution.networks import Network
from engines.super_resolution.resampling import as_tensor, back_project, resize
from engines.super_resolution.steadiness import Detailed, steady_detail
from engines.super_resolution.tiles import TILE, enlarge

# Pixels of the input. Measured (docs/LOG.md): smaller lets blocks come back, larger gives away what was filmed.
LOW_PASS = 0.8


@dataclass(frozen=True)
class Restoration:
    """How much of what.

    Attributes:
        detail: 0 (plain enlarging) … 1 (all that the network adds).
        denoise: 0 … 2, see `denoise`.
        steady: Whether added detail is averaged along motion.
        tile: Side of the network's tiles, pixels of the source.
    """

    detail: float = 0.75
    denoise: float = 1.0
    steady: bool = True
    tile: int = TILE


class Upscaled:
    """A stage: see Footage.

    Args:
        source: What was filmed.
        network: In its number format, on its device.
        height, width: Of the result.
        how: Strengths.
    """

    def __init__(self, source: Footage, network: Network, height: int, width: int, how: Restoration) -> None:
        self._source, self._network, self._how = source, network, how
        self.height, self.width = height, width
        self.fps: Fraction = source.fps
        self.count = source.count

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self._network.parameters()).device

    def frames(self, wanted: range) -> Iterator[Frame]:
        if not self._how.steady:
            yield from (one.finished(one.detail) for one in self._detailed(wanted))
            return
        for near in with_neighbours(self._detailed, wanted, 1, self.count):
            yield near.centre.finished(steady_detail(near))

    def _detailed(self, wanted: range) -> Iterator[Detailed]:
        radius = 1 if self._how.denoise > 0 else 0
        for near in with_neighbours(self._source.frames, wanted, radius, self.count):
            yield self._restore(near)

    @torch.inference_mode()
    def _restore(self, near: Near[Frame]) -> Detailed:
        filmed = as_tensor(denoise(near, self._how.denoise))
        size = (self.height, self.width)
        plain = resize(filmed, size)
        restored = plain
        # A network that enlarges has nothing to say about a picture that becomes no larger.
        if self._how.detail > 0 and self.height * self.width > self._source.height * self._source.width:
            weight = next(self._network.parameters())
            made = enlarge(self._network, filmed.to(weight.device, weight.dtype), self._how.tile).cpu()
            restored = plain + self._how.detail * (resize(made, size) - plain)
        restored = back_project(restored, filmed, LOW_PASS)
        enlarged, detail = (one[0].permute(1, 2, 0).contiguous().numpy() for one in (plain, restored - plain))
        return Detailed(eight_bit(near.centre), enlarged, detail, near.centre.dtype)
