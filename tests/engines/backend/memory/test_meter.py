"""Bytes are counted as they live, and a budget raises what CUDA raises."""

from __future__ import annotations

import pytest
import torch

from engines.backend.memory.meter import StorageMeter, is_out_of_memory

KILO = 256  # float32 values of one kibibyte


def test_what_lives_and_what_lived_at_most() -> None:
    with StorageMeter() as meter:
        one = torch.zeros(4 * KILO)
        two = one + 1
        assert meter.live == 8 * 1024
        del one
        assert meter.live == 4 * 1024
        two.mul_(2)
    assert (meter.live, meter.peak) == (4 * 1024, 8 * 1024)


def test_a_view_has_no_bytes_of_its_own_and_keeps_what_it_looks_at() -> None:
    with StorageMeter() as meter:
        whole = torch.zeros(4 * KILO)
        part = whole.view(2, -1)[0]
        assert meter.live == 4 * 1024
        del whole
        assert meter.live == 4 * 1024
        del part
        assert meter.live == 0


def test_tensors_from_before_are_counted_once() -> None:
    layer = torch.nn.Linear(KILO, 1, bias=False)
    with StorageMeter() as meter:
        meter.count(layer.parameters())
        meter.count(layer.parameters())
    assert meter.live == 1024


def test_over_the_budget_cudas_own_error_is_raised() -> None:
    with StorageMeter(budget=6 * 1024) as meter:
        kept = torch.zeros(4 * KILO)
        with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory") as raised:
            torch.zeros(4 * KILO)
        assert meter.live == 4 * 1024
        assert len(torch.zeros(KILO)) + len(kept) == 5 * KILO
    assert is_out_of_memory(raised.value)


def test_other_errors_are_no_lack_of_memory() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
    assert not is_out_of_memory(ValueError("can't allocate memory"))
