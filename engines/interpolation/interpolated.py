"""Footage at another rate: frames made for moments that nobody filmed.

Shape legend: h rows, w columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from engines.footage.footage import Footage, Frame
from engines.interpolation.between import between
from engines.interpolation.evidence import blended, distrust, rounded
from engines.interpolation.network import FlowNetwork
from engines.interpolation.timeline import Moment, Timeline, moment_at


@dataclass(frozen=True)
class Rate:
    """What comes out.

    Attributes:
        fps: Frames per second of the result.
        slower: How many times longer it lasts.
    """

    fps: Fraction
    slower: Fraction = Fraction(1)


class Interpolated:
    """A stage: see Footage.

    Args:
        source: What was filmed.
        network: In float32, on its device.
        rate: Of the result.
        find_cuts, drop_repeats: See Timeline.
        confident: Whether the network's picture gives way to a mix where flow explains nothing.
    """

    def __init__(
        self, source: Footage, network: FlowNetwork, rate: Rate, *, find_cuts: bool = True, drop_repeats: bool = True,
        confident: bool = True,
    ) -> None:  # fmt: skip
        self._network, self._confident = network, confident
        self._timeline = Timeline(source, find_cuts, drop_repeats)
        self._last = source.count - 1
        # Frames of the source for each frame of the result.
        self._pace = source.fps / rate.slower / rate.fps
        self.height, self.width, self.fps = source.height, source.width, rate.fps
        self.count = max(1, int(source.count / self._pace + Fraction(1, 2)))
        self._judged: tuple[tuple[int, int], float] | None = None

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self._network.parameters()).device

    def frames(self, wanted: range) -> Iterator[Frame]:
        if not wanted:
            return
        place = [min(number * self._pace, Fraction(self._last)) for number in wanted]
        sources = range(int(place[0]), int(place[-1]) + 1)
        upcoming = iter(place)
        position = next(upcoming, None)
        for near in self._timeline.around(sources):
            while position is not None and int(position) == near.centre.number:
                moment = moment_at(near, position - near.centre.number)
                yield moment.first if moment.share == 0 else self._made(moment)
                position = next(upcoming, None)

    def _made(self, moment: Moment) -> Frame:
        """By flow; where something moves fast and flow fails on frames that are known, by a blend."""
        made = between(self._network, moment, self._confident)
        if not (self._confident and made.is_fast):
            return made.frame
        # One judgement for all moments between the same two frames.
        if self._judged is None or self._judged[0] != moment.numbers:
            doubt = distrust(moment, lambda check: between(self._network, check, self._confident).frame)
            self._judged = (moment.numbers, doubt)
        doubt = self._judged[1]
        mixed = (1 - doubt) * made.frame.astype(np.float32) + doubt * blended(moment).astype(np.float32)
        return rounded(mixed, made.frame)
