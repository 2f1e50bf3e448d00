"""Whether memory that is freed leaves the process, on glibc.

Left to itself malloc keeps freed blocks of up to 32 MiB in its heap, and weights that come and go among others leave
holes there: 8-bit weights of 0.3 GB held 1.3 GB. Blocks that are mapped singly go back at once, but each new one costs
page faults: a fifth of the time where nothing else is short.
"""

from __future__ import annotations

import ctypes
import sys

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
SMALL, LARGEST = 1 << 20, 32 << 20


def give_back_freed_memory(at_once: bool) -> None:
    """At once from a mebibyte on, or only blocks of 32 MiB. Does nothing where malloc is another one."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, SMALL if at_once else LARGEST)
