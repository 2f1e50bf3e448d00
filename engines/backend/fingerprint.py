"""What must be equal for two runs to give the same bits: software, hardware, number format, threads."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path

import torch


def fingerprint(dtype: torch.dtype, device: torch.device) -> dict[str, str]:
    """Name → value; results are expected bitwise equal only where all of them agree."""
    return {
        "torch": torch.__version__,
        "diffusers": importlib.metadata.version("diffusers"),
        "transformers": importlib.metadata.version("transformers"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "cpu": _cpu_name(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cpu_bfloat16": str(_cpu_bfloat16()),
        "dtype": str(dtype).removeprefix("torch."),
        "threads": str(torch.get_num_threads()),
    }


def differences(ours: dict[str, str], theirs: dict[str, str]) -> list[str]:
    """Sentences that name what differs; empty if bits are expected to be equal."""
    names = sorted(ours.keys() | theirs.keys())
    return [
        f"{name}: {ours.get(name, 'nothing')} here, {theirs.get(name, 'nothing')} there"
        for name in names
        if ours.get(name) != theirs.get(name)
    ]


def _cpu_bfloat16() -> bool:
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _cpu_name() -> str:
    """The processor's model: kernels are chosen by it, not only by its instruction set."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
