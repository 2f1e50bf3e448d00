"""Which device renders."""

from __future__ import annotations

import torch


def select_device() -> torch.device:
    """CUDA (or ROCm, which torch calls cuda) if there is one, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
