"""Frame times into a constant frame rate.

Times are exact fractions of a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Protocol

from engines.media.clip import Frames

MAXIMUM_DERIVED_FPS = 120


class TimedFrame(Protocol):
    """A decoded frame that is turned into pixels only if it is shown.

    Attributes:
        time: Seconds since the start of the file's video.
        duration: Seconds that it stays; 0 if the file does not say.
    """

    time: Fraction
    duration: Fraction

    def pixels(self) -> Frames:
        """uint8 or uint16 [H, W, 3], upright, in the wanted size."""


@dataclass(frozen=True)
class FrameRate:
    """What the time stamps of a file say.

    Attributes:
        fps: Frames per second; of a variable rate, of its most usual step.
        variable: Whether steps between frames differ by more than the file's clock explains.
    """

    fps: Fraction
    variable: bool


def measure_rate(times: list[Fraction], tick: Fraction, stated: Fraction | None) -> FrameRate:
    """The frame rate behind time stamps.

    Args:
        times: Seconds, in any order, of at least the first frames.
        tick: The file's clock: one unit of its time base, in seconds.
        stated: What the header says, or None.
    """
    ordered = sorted(set(times))
    steps = sorted(later - earlier for earlier, later in pairwise(ordered))
    if not steps:
        return FrameRate(stated or Fraction(25), False)
    usual = steps[len(steps) // 2]
    tolerance = max(usual / 10, tick * 3 / 2)
    if steps[-1] - usual > tolerance or usual - steps[0] > tolerance:
        return FrameRate(_near_standard(1 / usual, tick / usual), True)
    mean = (ordered[-1] - ordered[0]) / len(steps)
    # Both ends of the measured span are rounded to the clock.
    uncertainty = max(2 * tick / (ordered[-1] - ordered[0]), Fraction(1, 10_000))
    # A stated rate such as 287/12 is somebody's division of rounded time stamps; a usual one was meant.
    if stated and abs(stated * mean - 1) <= uncertainty and stated in _standards(stated):
        return FrameRate(stated, False)
    return FrameRate(_near_standard(1 / mean, uncertainty), False)


def _near_standard(fps: Fraction, uncertainty: Fraction) -> Fraction:
    """A whole or an NTSC rate (24000/1001, …) if one lies within the relative uncertainty, else fps itself."""
    fps = min(fps, Fraction(MAXIMUM_DERIVED_FPS))
    for standard in _standards(fps):
        if abs(standard / fps - 1) <= max(uncertainty, Fraction(1, 2000)):
            return standard
    return fps.limit_denominator(1001)


def _standards(fps: Fraction) -> tuple[Fraction, Fraction]:
    whole = Fraction(max(round(fps), 1))
    return whole, whole * 1000 / 1001


def constant_rate(
    frames: Iterable[TimedFrame], fps: Fraction, start: Fraction = Fraction(0), end: Fraction | None = None
) -> Iterator[Frames]:
    """Shows at each output time the last frame that has come by then, rounded to the nearest output time.

    Output frame n stands for the time start + n / fps and exists if the middle of its span lies before `end` and
    before the end of the last frame. A file of constant rate passes unchanged.

    Args:
        frames: In the order of their times; the first may lie before `start`.
        fps: Of the output.
        start, end: Seconds since the start of the file's video; None is its end.
    """
    half = 1 / (2 * fps)
    count = 0
    shown: TimedFrame | None = None
    for frame in frames:
        while shown is not None and (middle := start + count / fps + half) <= frame.time:
            if end is not None and middle > end:
                return
            yield shown.pixels()
            count += 1
        shown = frame
    if shown is None:
        return
    last = shown.time + (shown.duration or 1 / fps)
    stop = last if end is None else min(last, end)
    while start + count / fps + half <= stop or (count == 0 and last > start):
        yield shown.pixels()
        count += 1
