from __future__ import annotations

import pytest

from engines.context import Progress
from engines.text_to_video.request import TextToVideoRequest
from studio.jobs.timing import PhaseClock, estimate


def request(**fields: object) -> dict[str, object]:
    return TextToVideoRequest.model_validate({"prompt": "a boat", **fields}).model_dump(mode="json")


TIMES = {"loading": 3.0, "denoising": 10.0, "decoding": 2.0}


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 15.0),
        ({"steps": 40}, 25.0),  # twice the steps
        ({"solver": "heun"}, 25.0),  # two evaluations per step
        ({"guidance_scale": 1.0}, 10.0),  # one branch instead of two
        ({"guidance_end": 0.5}, 12.5),  # the second branch for half of the steps
        ({"takes": 3}, 39.0),  # all but loading three times
        ({"width": 192}, 27.0),
    ],
)
def test_estimate_scales_by_evaluations_and_pixels(fields: dict[str, object], seconds: float) -> None:
    found = estimate(request(**fields), [(request(), TIMES)])
    assert found.seconds == pytest.approx(seconds)
    assert found.based_on == 1


def test_estimate_takes_the_nearest_jobs_of_the_same_model() -> None:
    near = [(request(seed=seed), {"denoising": seconds}) for seed, seconds in enumerate((9.0, 10.0, 11.0, 10.0, 50.0))]
    far = [(request(steps=200), {"denoising": 1.0})] * 20
    other = [(request(model="ltx"), {"denoising": 9000.0})] * 20
    found = estimate(request(), far + other + near)
    assert (found.seconds, found.based_on) == (10.0, 5)
    assert estimate(request(model="wan"), near).seconds is None


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
