"""Work for a fresh process to be measured at, in a module of its own: the child imports no other test."""

from __future__ import annotations

import torch

from engines.metrics.memory import LiveStorage

MEGABYTE = 2**20


def hold(megabytes: int) -> list[torch.Tensor]:
    """Fills that much memory in ten tensors, with as much again in passing for one of them."""
    return [torch.ones(megabytes * MEGABYTE // 40).mul_(index).add(1) for index in range(10)]


def live_storage_of_hold(megabytes: int) -> int:
    """The same work, counted by LiveStorage."""
    with LiveStorage() as counted:
        hold(megabytes)
    return counted.peak_bytes


def fail() -> None:
    raise ValueError("the work went wrong")
