"""How much memory this process has needed at most."""

from __future__ import annotations

import sys

import psutil  # type: ignore[import-untyped]
import torch


def peak_memory_bytes(device: torch.device) -> int:
    """Peak since the process began: of the GPU's allocator on CUDA, else of the resident set."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
