"""Where the shots of a video lie.

Shape legend: frames uint8 [t, H, W, 3], small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engines.footage.cuts import FLASH_FRAMES, Grey, grey, is_cut
from engines.media.clip import Frames

AROUND = FLASH_FRAMES + 1  # frames on either side that a cut is judged by


@dataclass(frozen=True)
class Shot:
    """Frames `first` up to, not including, `end` of a video at the rate at which it was read."""

    first: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.first

    def trimmed(self, frames: int) -> Shot:
        """Without so many frames at both ends; may be empty."""
        first = min(self.first + frames, self.end)
        return Shot(first, max(first, self.end - frames))


def find_shots(chunks: Iterable[Frames]) -> Iterator[Shot]:
    """The shots of a video, in order, in constant memory. Nothing for a video without frames."""
    pictures: list[Grey] = []  # up to AROUND on either side of the border that is judged next
    border, first, count = 1, 0, 0

    def judged(until: int) -> Iterator[Shot]:
        """Judges borders while enough is known of what follows."""
        nonlocal border, first
        while border < until:
            place = border - (count - len(pictures))
            if is_cut(pictures[max(0, place - AROUND) : place], pictures[place : place + AROUND]):
                yield Shot(first, border)
                first = border
            border += 1
            if place > AROUND:
                del pictures[: place - AROUND]

    for chunk in chunks:
        for frame in chunk:
            pictures.append(grey(frame))
            count += 1
            yield from judged(count - AROUND + 1)
    yield from judged(count)
    if count:
        yield Shot(first, count)
