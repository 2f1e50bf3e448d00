"""Live storage bytes and anonymous pages of a child: each alone, and against one another."""

from __future__ import annotations

import pytest
import torch

from engines.metrics.memory import LiveStorage, peak_anonymous_bytes
from tests.engines.metrics.allocation import MEGABYTE, fail, hold, live_storage_of_hold


def test_what_is_freed_no_longer_counts() -> None:
    with LiveStorage() as counted:
        a = torch.zeros(1000)
        assert counted.live_bytes == 4000
        b = torch.zeros(500, dtype=torch.float64)
        assert counted.live_bytes == 8000
        del a
        assert counted.live_bytes == 4000
        c = b + 1
        assert counted.live_bytes == 8000
    assert counted.peak_bytes == 8000
    del b, c
    assert counted.live_bytes == 0


def test_views_count_once_and_hold_their_whole_storage() -> None:
    with LiveStorage() as counted:
        part = torch.zeros(100, 10)[:5].transpose(0, 1)
        assert counted.live_bytes == 4000
        del part
        assert counted.live_bytes == 0


def test_inputs_and_resident_tensors_count_once() -> None:
    model = torch.nn.Linear(100, 100, bias=False)
    x = torch.zeros(1, 100)
    with LiveStorage() as counted, torch.no_grad():
        y = model(x)
    assert counted.peak_bytes == 40_000 + 400 + 400
    assert y.shape == (1, 100)
    with LiveStorage(model.parameters()) as counted:
        assert counted.live_bytes == 40_000
        with torch.no_grad():
            model(x)
    assert counted.peak_bytes == 40_000 + 400 + 400


def test_the_backward_pass_is_counted_too() -> None:
    model = torch.nn.Linear(100, 100, bias=False)
    with LiveStorage(model.parameters()) as counted:
        model(torch.zeros(1, 100)).sum().backward()
        assert model.weight.grad is not None
        assert counted.live_bytes >= 80_000
    assert counted.peak_bytes >= 80_000


def test_the_two_measures_agree_on_200_megabytes() -> None:
    counted = live_storage_of_hold(200)
    seen = peak_anonymous_bytes(hold, 200)
    assert counted == pytest.approx(220 * MEGABYTE, rel=0.01)
    assert seen == pytest.approx(counted, rel=0.2)


def test_a_failing_work_is_told_with_its_traceback() -> None:
    with pytest.raises(RuntimeError, match="the work went wrong"):
        peak_anonymous_bytes(fail)
