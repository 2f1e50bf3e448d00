"""Comparing times on a machine whose speed wanders: pairs, one after the other, and the median of their ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

LEAST_PAIRS = 15


@dataclass(frozen=True)
class TimingPairs:
    """Seconds of each call, in the order of the pairs."""

    ours: tuple[float, ...]
    baseline: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.ours, self.baseline, strict=True)]

    @property
    def ratio(self) -> float:
        """Median of ours / baseline over the pairs; below 1 ours is faster."""
        return statistics.median(self.ratios)

    @property
    def seconds(self) -> float:
        """Median seconds of ours."""
        return statistics.median(self.ours)


def interleaved(
    ours: Callable[[], object],
    baseline: Callable[[], object],
    pairs: int = LEAST_PAIRS,
    clock: Callable[[], float] = time.perf_counter,
) -> TimingPairs:
    """Runs both in turn after one warm-up each; the order within a pair alternates, so that neither is favoured.

    Nothing else may run on the machine meanwhile. On a GPU the functions synchronise before they return.

    Args:
        pairs: At least 15.

    Raises: ValueError for fewer.
    """
    if pairs < LEAST_PAIRS:
        raise ValueError(f"{pairs} pairs say too little about time: take at least {LEAST_PAIRS}.")
    both: tuple[Callable[[], object], Callable[[], object]] = (ours, baseline)
    for work in both:
        work()
    seconds: tuple[list[float], list[float]] = ([], [])
    for pair in range(pairs):
        for which in (0, 1) if pair % 2 == 0 else (1, 0):
            began = clock()
            both[which]()
            seconds[which].append(clock() - began)
    return TimingPairs(tuple(seconds[0]), tuple(seconds[1]))
