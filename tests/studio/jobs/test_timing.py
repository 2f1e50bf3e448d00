from __future__ import annotations

import pytest

from engines.context import Progress
from studio.jobs.timing import PhaseClock


def test_clock_measures_phases_and_steps() -> None:
    clock = PhaseClock({}, now=0.0)
    assert clock.record(Progress("loading", 1, 1), 3.0) is None
    assert clock.record(Progress("denoising", 0, 10), 3.5) is None
    assert clock.record(Progress("denoising", 1, 10), 6.0) is None  # the first step also warms up
    assert clock.record(Progress("denoising", 2, 10), 7.0) == pytest.approx(8.0)
    assert clock.record(Progress("denoising", 3, 10), 8.0) == pytest.approx(7.0)
    clock.record(Progress("writing", 1, 1), 10.0)
    assert clock.finish(10.5) == pytest.approx({"loading": 3.5, "denoising": 4.5, "writing": 2.5})


def test_clock_adds_what_is_known_of_later_phases() -> None:
    clock = PhaseClock({"loading": 1.0, "denoising": 10.0, "decoding": 4.0}, now=0.0)
    assert clock.record(Progress("loading", 1, 1), 2.0) == pytest.approx(14.0)
    assert clock.record(Progress("denoising", 1, 10), 3.0) == pytest.approx(13.0)
    assert clock.record(Progress("denoising", 2, 10), 4.0) == pytest.approx(12.0)
    # Half as fast as history says: what is measured counts.
    assert clock.record(Progress("denoising", 3, 10), 6.0) == pytest.approx(7 * 1.5 + 4)


def test_clock_counts_the_versions_that_are_still_to_come() -> None:
    clock = PhaseClock({"denoising": 30.0}, now=0.0)  # three versions of ten steps
    for step in range(1, 10):
        left = clock.record(Progress("denoising", step, 10), float(step))
    assert left == pytest.approx(21.0)
