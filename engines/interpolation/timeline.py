"""Which two frames of the source a moment lies between.

Positions are in frames of the source: 2.5 is half way between frames 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from engines.footage.cuts import FLASH_FRAMES, Grey, grey, is_cut, repeats
from engines.footage.footage import Footage, Frame
from engines.footage.neighbours import Near, with_neighbours

# Animation is drawn on twos or threes; a longer stretch without change is meant to stand still.
MOST_REPEATS = 3
SIGHT = MOST_REPEATS + 1


@dataclass(frozen=True)
class Marked:
    """A frame of the source, and what is known of it.

    Attributes:
        number: In the source.
        begins_shot: Whether a cut lies before it.
        repeats: Whether it shows what the one before showed.
    """

    number: int
    frame: Frame
    begins_shot: bool
    repeats: bool


@dataclass(frozen=True)
class Moment:
    """Two frames and the share of the way from the first to the second, 0 … 1; 0 is the first itself.

    Attributes:
        numbers: Of the two frames in the source.
        checks: Moments of the same shot at twice the distance whose frame is known, with that frame.
    """

    first: Frame
    second: Frame
    share: Fraction
    numbers: tuple[int, int] = (0, 0)
    checks: tuple[tuple[Moment, Frame], ...] = ()


class Timeline:
    """The source's frames with cuts and repeats known.

    Args:
        source: Footage.
        find_cuts: Whether nothing is blended across cuts.
        drop_repeats: Whether repeated frames are taken as missing.
    """

    def __init__(self, source: Footage, find_cuts: bool, drop_repeats: bool) -> None:
        self._source, self._find_cuts, self._drop_repeats = source, find_cuts, drop_repeats

    def around(self, wanted: range) -> Iterator[Near[Marked]]:
        """Each wanted frame of the source with its neighbours as far as a moment may reach."""
        return with_neighbours(self._marked, wanted, SIGHT, self._source.count)

    def _marked(self, wanted: range) -> Iterator[Marked]:
        radius = FLASH_FRAMES + 1 if self._find_cuts else 1
        for number, near in zip(wanted, with_neighbours(self._seen, wanted, radius, self._source.count), strict=True):
            before, after = ([one for _, one in part] for part in (near.items[: near.at], near.items[near.at :]))
            frame = near.centre[0]
            if not before:
                yield Marked(number, frame, True, False)
                continue
            cut = self._find_cuts and is_cut(before, after[: FLASH_FRAMES + 1])
            yield Marked(number, frame, cut, self._drop_repeats and repeats(before[-1], after[0]))

    def _seen(self, wanted: range) -> Iterator[tuple[Frame, Grey]]:
        return ((frame, grey(frame)) for frame in self._source.frames(wanted))


def moment_at(near: Near[Marked], share: Fraction) -> Moment:
    """The moment `share` of a frame behind the one in the middle.

    Nothing lies between two shots: the last frame of one stands until the other begins. Frames that repeat are passed
    over, to the last and the next that are new, unless so many repeat that the picture is meant to stand.
    """
    first, second = _last_new(near), _next_new(near)
    if second is None:
        return Moment(near.centre.frame, near.centre.frame, Fraction(0))
    span = second.number - first.number
    way = (near.centre.number - first.number + share) / span
    numbers = (first.number, second.number)
    return Moment(first.frame, second.frame, way, numbers, tuple(_checks(near, first, second)))


def _checks(near: Near[Marked], first: Marked, second: Marked) -> Iterator[tuple[Moment, Frame]]:
    """The first frame from the one before it and the second, and the second from the first and the one after it."""
    begin = near.items[0].number
    earlier, later = first.number - 1 - begin, second.number + 1 - begin
    if earlier >= 0 and not first.begins_shot:
        before = near.items[earlier]
        yield _between(before, second, first.number), first.frame
    if later < len(near.items) and not near.items[later].begins_shot:
        yield _between(first, near.items[later], second.number), second.frame


def _between(first: Marked, second: Marked, number: int) -> Moment:
    return Moment(first.frame, second.frame, Fraction(number - first.number, second.number - first.number))


def _last_new(near: Near[Marked]) -> Marked:
    for place in range(near.at, max(-1, near.at - MOST_REPEATS - 1), -1):
        if not near.items[place].repeats or near.items[place].begins_shot:
            return near.items[place]
    return near.centre


def _next_new(near: Near[Marked]) -> Marked | None:
    """None if a cut or the end comes first."""
    following = near.items[near.at + 1 :]
    for one in following:
        if one.begins_shot:
            return None
        if not one.repeats:
            return one
    return following[0] if following else None
