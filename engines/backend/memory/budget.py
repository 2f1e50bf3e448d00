"""How much memory models may take: what a person says, else most of what is free."""

from __future__ import annotations

import os

import psutil  # type: ignore[import-untyped]
import torch

from engines.errors import InvalidRequest

ENVIRONMENT = "FRAMEWRIGHT_MEMORY_GB"
FREE_SHARE = 0.9  # the rest is for what a plan cannot foresee: fragments, the driver, other programs


def memory_budget(device: torch.device) -> int:
    """Bytes on the device. FRAMEWRIGHT_MEMORY_GB if set, else nine tenths of what is free there now.

    Raises: InvalidRequest if the variable holds no positive number.
    """
    wanted = os.environ.get(ENVIRONMENT, "").strip()
    if not wanted:
        return int(FREE_SHARE * _free_bytes(device))
    try:
        gigabytes = float(wanted)
    except ValueError:
        gigabytes = 0.0
    if not 0 < gigabytes < 1e6:
        raise InvalidRequest(
            f"{ENVIRONMENT} is “{wanted}”, which is no amount of memory.",
            f"Set {ENVIRONMENT} to a number of gigabytes, for example 8, or leave it out.",
            field="memory",
        )
    return int(gigabytes * 1e9)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        # What torch's allocator holds without using it is free for us too.
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    return int(psutil.virtual_memory().available)
