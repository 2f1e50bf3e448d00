"""Gaussian noise that depends on (seed, interval, stage) and on nothing else.

Drawn on the CPU so that every device gets the same numbers.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

import torch
from torch import Tensor

INITIAL = -1  # the interval of the noise that a run starts from


def gaussian_noise(shape: Sequence[int], seed: int, interval: int = INITIAL, stage: int = 0) -> Tensor:
    """Standard normal noise, float32 on the CPU.

    Args:
        shape: Any.
        seed: The request's seed, 0 … 2**63 − 1.
        interval: Schedule interval, INITIAL for the start of a run.
        stage: Evaluation inside the interval.
    """
    generator = torch.Generator(device="cpu").manual_seed(_mixed(seed, interval, stage))
    return torch.randn(*shape, generator=generator, dtype=torch.float32)


class SeededNoise:
    """A noise source for `sample`: noise(interval, stage) of one shape on one device."""

    def __init__(self, seed: int, shape: Sequence[int], device: torch.device | str = "cpu") -> None:
        self._seed = seed
        self._shape = tuple(shape)
        self._device = device

    def __call__(self, interval: int, stage: int = 0) -> Tensor:
        return gaussian_noise(self._shape, self._seed, interval, stage).to(self._device)


def _mixed(seed: int, interval: int, stage: int) -> int:
    """A 63-bit number from the three. A hash, because seed + interval would give the next take's noise."""
    digest = hashlib.blake2b(struct.pack("<qqq", seed, interval, stage), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
