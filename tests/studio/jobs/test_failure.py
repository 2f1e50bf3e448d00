from __future__ import annotations

import errno
from pathlib import Path

import pytest

from engines.errors import InvalidRequest
from studio.jobs.failure import as_error_data, worker_died

LOG = Path("/jobs/1/log.txt")


def test_what_torch_says_when_ram_runs_out_is_understood() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**55, dtype=torch.uint8)
    data = as_error_data(error.value, LOG)
    assert data["code"] == "resource_error"
    assert "(RAM)" in (data["message"] or "")
    assert data["fix"] == "Retry smaller: fewer frames, a smaller size or fewer versions at once."


def test_what_torch_says_when_vram_runs_out_is_understood() -> None:
    torch = pytest.importorskip("torch")
    for error in (torch.OutOfMemoryError("tried to allocate 2 GiB"), RuntimeError("MPS backend out of memory (x)")):
        assert "(VRAM)" in (as_error_data(error, LOG)["message"] or "")


def test_other_runtime_errors_are_bugs() -> None:
    data = as_error_data(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), LOG)
    assert data["code"] == "bug"
    assert data["fix"] == f"Retry the job. If it happens again, report it with the file {LOG}."


def test_full_disk_and_user_errors() -> None:
    full = as_error_data(OSError(errno.ENOSPC, "No space left on device"), LOG)
    assert (full["message"], full["fix"]) == (
        "The disk is full.",
        "Free some space, then retry: finished parts are kept.",
    )
    error = InvalidRequest("steps = 0 is not allowed.", "Choose steps of at least 1.", "steps")
    assert as_error_data(error, LOG) == error.as_data()


def test_only_signal_9_suggests_memory() -> None:
    assert "smaller" in (worker_died(-9)["fix"] or "")
    segmentation_fault = worker_died(-11)
    assert segmentation_fault["message"] == "The worker process died (signal 11, Segmentation fault)."
    assert segmentation_fault["fix"] == "Retry the job: its finished parts are kept."
