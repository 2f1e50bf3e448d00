"""What this machine renders on, in words, found without importing torch."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from pathlib import Path


def memory_gigabytes() -> int:
    """Installed memory in GiB, 0 where the system does not tell."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (AttributeError, OSError, ValueError):
        return 0


def accelerator() -> str:
    """ "CUDA", "ROCm", "MPS" or "CPU", from the torch build that is installed and the devices that are there."""
    try:
        build = importlib.metadata.version("torch").partition("+")[2]
    except importlib.metadata.PackageNotFoundError:
        return "CPU"
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return "MPS"
    if build.startswith("rocm"):
        return "ROCm" if Path("/dev/kfd").exists() else "CPU"
    has_nvidia = Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None
    return "CUDA" if has_nvidia and build != "cpu" else "CPU"


def device_line() -> str:
    """For the head of the page: "CPU, 24 GB"."""
    memory = memory_gigabytes()
    return f"{accelerator()}, {memory} GB" if memory else accelerator()
