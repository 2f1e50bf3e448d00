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
    lengths = [failed(tmp_path, frames=frames) for frames in (65, 17)]
    assert [fields and fields["frames"] for fields in lengths] == [17, 1]
    assert failed(tmp_path, frames=1) is None


def test_a_model_of_any_length_gets_half(tmp_path: Path) -> None:
    fields = failed(tmp_path, "limit_exceeded", model="ltx_video", frames=121)
    assert fields is not None
    assert fields["frames"] == 60


@pytest.mark.parametrize("code", ["bug", "invalid_request", "not_available", "interrupted"])
def test_other_failures_are_not_about_size(tmp_path: Path, code: str) -> None:
    assert failed(tmp_path, code, takes=4) is None


def test_a_job_that_did_not_fail_is_not_made_smaller(tmp_path: Path) -> None:
    assert smaller_fields(job(tmp_path, status="cancelled", fields={"takes": 4})) is None
