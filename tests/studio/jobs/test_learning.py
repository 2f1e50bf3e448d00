from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engines.super_resolution.request import UpscaleRequest
from engines.text_to_video.request import TextToVideoRequest
from studio.jobs.job import Estimate
from studio.jobs.learning import estimate
from studio.jobs.room import with_warnings
from studio.jobs.run_history import Inputs, Run


def request(**fields: Any) -> dict[str, Any]:
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
def test_estimate_scales_by_evaluations_and_pixels(fields: dict[str, Any], seconds: float) -> None:
    found = estimate(request(**fields), {}, [Run(request(), {}, TIMES)])
    assert found.seconds == pytest.approx(seconds)
    assert found.based_on == 1


def test_estimate_takes_the_nearest_jobs_of_the_same_model() -> None:
    near = [
        Run(request(seed=seed), {}, {"denoising": seconds})
        for seed, seconds in enumerate((9.0, 10.0, 11.0, 10.0, 50.0))
    ]
    far = [Run(request(steps=200), {}, {"denoising": 1.0})] * 20
    other = [Run(request(model="ltx"), {}, {"denoising": 9000.0})] * 20
    found = estimate(request(), {}, far + other + near)
    assert (found.seconds, found.based_on) == (10.0, 5)
    assert estimate(request(model="wan"), {}, near).seconds is None


def test_memory_grows_with_the_size_but_does_not_shrink_and_disk_does_both() -> None:
    known = [Run(request(), {}, TIMES, memory_bytes=10**9, disk_bytes=10**6)]
    larger, smaller = estimate(request(takes=3), {}, known), estimate(request(width=32), {}, known)
    assert (larger.memory_bytes, larger.disk_bytes) == (pytest.approx(3e9), pytest.approx(3e6))
    assert (smaller.memory_bytes, smaller.disk_bytes) == (pytest.approx(1e9), pytest.approx(1e6 / 3))


def test_what_was_not_measured_is_not_estimated() -> None:
    found = estimate(request(), {}, [Run(request(), {}, TIMES)])
    assert (found.memory_bytes, found.disk_bytes) == (None, None)


def footage(**fields: Any) -> dict[str, Any]:
    return UpscaleRequest.model_validate({"video": "/a.mp4", **fields}).model_dump(mode="json")


def facts(width: int = 100, seconds: float = 10.0, fps: float = 24.0) -> Inputs:
    return {"video": [{"name": "a.mp4", "width": width, "height": 100, "fps": fps, "seconds": seconds}]}


UPSCALED = Run(footage(), facts(), {"loading": 2.0, "rendering": 60.0}, memory_bytes=10**9, disk_bytes=10**7)


@pytest.mark.parametrize(
    ("fields", "inputs", "seconds"),
    [
        ({}, facts(), 62.0),
        ({}, facts(seconds=20), 122.0),
        ({}, facts(width=200), 122.0),
        ({}, facts(fps=12), 32.0),
        ({"start": 4.0, "end": 9.0}, facts(), 32.0),
        ({"end": 60.0}, facts(), 62.0),  # beyond the end of the file
        ({"width": 4000}, facts(), 62.0),  # of the result, not of the footage
    ],
)
def test_footage_is_scaled_by_the_pixels_of_all_its_frames(
    fields: dict[str, Any], inputs: Inputs, seconds: float
) -> None:
    assert estimate(footage(**fields), inputs, [UPSCALED]).seconds == pytest.approx(seconds)


def test_longer_footage_needs_more_disk_but_no_more_memory() -> None:
    longer = estimate(footage(), facts(seconds=30), [UPSCALED])
    assert (longer.memory_bytes, longer.disk_bytes) == (pytest.approx(1e9), pytest.approx(3e7))
    wider = estimate(footage(), facts(width=300), [UPSCALED])
    assert wider.memory_bytes == pytest.approx(3e9)


def test_footage_learns_from_the_same_settings_first() -> None:
    other = Run(footage(factor=4.0), facts(), {"rendering": 500.0})
    assert estimate(footage(), facts(seconds=20), [other, other, UPSCALED]).based_on == 1
    assert estimate(footage(factor=4.0), facts(), [other, UPSCALED]).seconds == pytest.approx(500)
    assert estimate(footage(factor=3.0), facts(), [other, UPSCALED]).based_on == 2
    assert estimate(footage(model="photo"), facts(), [UPSCALED]).seconds is None


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    memory, disk = with_warnings(Estimate(1.0, 1, {}, 1e16, 1e18), tmp_path).warnings
    assert memory.startswith("This will need about 10000000 GB of memory; this computer has ")
    assert disk.endswith("Free some space first.")
    assert with_warnings(Estimate(1.0, 1, {}, 1e6, 1e3), tmp_path).warnings == ()
    assert with_warnings(Estimate(None, 0), tmp_path).warnings == ()
