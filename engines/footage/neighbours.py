"""Stages that look at the frames around each one, streamed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Near(Generic[Item]):
    """An item and those around it.

    Attributes:
        items: In order; fewer where the footage begins or ends.
        at: Place of the one in the middle.
    """

    items: tuple[Item, ...]
    at: int

    @property
    def centre(self) -> Item:
        return self.items[self.at]

    @property
    def others(self) -> Iterator[Item]:
        return (item for place, item in enumerate(self.items) if place != self.at)


def with_neighbours(
    stage: Callable[[range], Iterable[Item]], wanted: range, radius: int, count: int
) -> Iterator[Near[Item]]:
    """Each wanted item with up to `radius` on either side; holds 2 · radius + 1 items.

    Args:
        stage: Gives the items of these numbers, in order.
        wanted: Numbers, step 1.
        count: How many items there are in all.
    """
    first, last = max(0, wanted.start - radius), min(count, wanted.stop + radius)
    source = iter(stage(range(first, last)))
    held: deque[tuple[int, Item]] = deque()
    reached = first
    for number in wanted:
        while reached < min(last, number + radius + 1):
            held.append((reached, next(source)))
            reached += 1
        while held[0][0] < number - radius:
            held.popleft()
        yield Near(tuple(item for _, item in held), number - held[0][0])
