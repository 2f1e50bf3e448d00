"""Retry smaller is offered where size was the trouble, and each retry asks for less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.smaller import smaller_fields
from tests.studio.a_job import job


def failed(folder: Path, code: str = "resource_error", **fields: Any) -> dict[str, Any] | None:
    error = {"code": code, "field": None, "message": "", "fix": ""}
    made = {"prompt": "a fox", "model": "diorama", "takes": 1, "frames": 17} | fields
    return smaller_fields(job(folder, status="failed", error=error, fields=made))


def test_versions_go_first_then_frames_down_to_a_picture(tmp_path: Path) -> None:
    assert failed(tmp_path, takes=9) == {"prompt": "a fox", "model": "diorama", "takes": 1, "frames": 17}
    lengths = [failed(tmp_path, frames=frames) for frames in (65, 17, 9)]
    assert [fields and fields["frames"] for fields in lengths] == [25, 9, 1]
    assert failed(tmp_path, frames=1) is None


def test_footage_is_enlarged_less_then_cut_in_half(tmp_path: Path) -> None:
    error = {"code": "resource_error", "field": None, "message": "", "fix": ""}
    inputs = {"video": [{"seconds": 10.0}]}

    def less(**fields: Any) -> dict[str, Any] | None:
        made = {"video": "a.mp4", "start": 2.0, "end": None} | fields
        return smaller_fields(job(tmp_path, status="failed", error=error, fields=made, inputs=inputs))

    factors = [less(factor=factor) for factor in (8.0, 2.5)]
    assert [fields and fields["factor"] for fields in factors] == [4.0, 1.5]
    exact = less(width=4000, height=None, factor=2.0)
    assert exact is not None
    assert (exact["width"], exact["factor"]) == (None, 1.5)
    shorter = less(factor=1.5)
    assert shorter is not None
    assert (shorter["start"], shorter["end"]) == (2.0, 6.0)
    assert less(start=9.5) is None


def test_a_model_of_any_length_gets_half(tmp_path: Path) -> None:
    fields = failed(tmp_path, "limit_exceeded", model="ltx_video", frames=121)
    assert fields is not None
    assert fields["frames"] == 60


@pytest.mark.parametrize("code", ["bug", "invalid_request", "not_available", "interrupted"])
def test_other_failures_are_not_about_size(tmp_path: Path, code: str) -> None:
    assert failed(tmp_path, code, takes=4) is None


def test_a_job_that_did_not_fail_is_not_made_smaller(tmp_path: Path) -> None:
    assert smaller_fields(job(tmp_path, status="cancelled", fields={"takes": 4})) is None
