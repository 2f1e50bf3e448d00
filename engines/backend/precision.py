"""Which number format the models compute in: measured on the machine, never guessed from its name."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable

import torch

ENVIRONMENT = "FRAMEWRIGHT_CPU_DTYPE"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
REQUIRED_GAIN = 1.5  # bfloat16 must be this much faster on the CPU to be worth its rounding
_REPEATS = 3


def compute_dtype(device: torch.device) -> torch.dtype:
    """The transformer's number format on this device.

    CPU: FRAMEWRIGHT_CPU_DTYPE if set, else what `probe_cpu_dtype` measured. CUDA: bfloat16 where the hardware has it,
    else float16. MPS: float32.

    Raises: ValueError if the environment variable holds something else.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type != "cpu":
        return torch.float32
    wanted = os.environ.get(ENVIRONMENT, "")
    if not wanted:
        return probe_cpu_dtype()
    if wanted not in DTYPES:
        raise ValueError(f"{ENVIRONMENT}={wanted!r}; it may be one of {', '.join(DTYPES)}, or unset for the probe")
    return DTYPES[wanted]


@functools.cache
def probe_cpu_dtype() -> torch.dtype:
    """bfloat16 if both a matrix product and a convolution are clearly faster in it, else float32.

    Takes about 50 ms once per process. Flags of the CPU are not read: bfloat16 without hardware support is up to
    hundreds of times slower, and virtual machines mask flags.
    """
    gains = measure_gains()
    return torch.bfloat16 if min(gains.values()) > REQUIRED_GAIN else torch.float32


@torch.inference_mode()
def measure_gains() -> dict[str, float]:
    """Time in float32 / time in bfloat16, best of three, for a matrix product and a 3-D convolution."""
    matrix = torch.ones(512, 512)
    clip = torch.ones(1, 16, 4, 24, 24)
    kernel = torch.ones(16, 16, 3, 3, 3)

    def product(dtype: torch.dtype) -> Callable[[], torch.Tensor]:
        a = matrix.to(dtype)
        return lambda: a @ a

    def convolution(dtype: torch.dtype) -> Callable[[], torch.Tensor]:
        x, weight = clip.to(dtype), kernel.to(dtype)
        return lambda: torch.nn.functional.conv3d(x, weight, padding=1)

    return {
        "matmul": _best(product(torch.float32)) / _best(product(torch.bfloat16)),
        "conv3d": _best(convolution(torch.float32)) / _best(convolution(torch.bfloat16)),
    }


def _best(call: Callable[[], torch.Tensor]) -> float:
    seconds = []
    for _ in range(_REPEATS + 1):  # the first one warms up
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return max(min(seconds[1:]), 1e-9)
