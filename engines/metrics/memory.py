"""How many bytes a piece of work needs at most: counted in tensors' storages, and seen from outside as anonymous pages.

The two agree within 20 % where torch holds what is held. Live storage counts memory-mapped weights, RssAnon does not
until they are copied; RssAnon counts what is not torch's, too.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import weakref
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from engines.errors import NotAvailable

_SAMPLE_SECONDS = 0.002
_M_MMAP_THRESHOLD = -3  # malloc.h
_GIVE_BACK_FROM = 2**20


class LiveStorage(TorchDispatchMode):
    """Counts bytes of tensor storages while it is entered; views share one storage and count once.

    Storages count from the moment an operation takes or gives them until they are freed. What lies there before and is
    not touched counts if it is named.

    Args:
        resident: Tensors to count from the start, such as a model's parameters.

    Attributes:
        live_bytes: Now. peak_bytes: At most so far.
    """

    def __init__(self, resident: Iterable[torch.Tensor] = ()) -> None:
        super().__init__()
        self.live_bytes = 0
        self.peak_bytes = 0
        self._sizes: dict[int, int] = {}
        for tensor in resident:
            self._count(tensor)

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self._count_all((args, kwargs))
        result = func(*args, **(kwargs or {}))
        self._count_all(result)
        return result

    def _count_all(self, tree: Any) -> None:
        for leaf in tree_iter(tree):
            if isinstance(leaf, torch.Tensor):
                self._count(leaf)

    def _count(self, tensor: torch.Tensor) -> None:
        if tensor.layout is not torch.strided or tensor.device.type == "meta":
            return  # no storage behind it
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key not in self._sizes:
            self._sizes[key] = 0
            weakref.finalize(storage, self._release, key).atexit = False
        self.live_bytes += size - self._sizes[key]  # a storage may have been resized in place
        self._sizes[key] = size
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)

    def _release(self, key: int) -> None:
        self.live_bytes -= self._sizes.pop(key)


def peak_anonymous_bytes(work: Callable[..., object], *arguments: object) -> int:
    """Growth of RssAnon, at its peak, while a fresh child process runs `work(*arguments)`.

    The child's malloc gives freed blocks of 1 MiB and more back at once, so that what is held is seen, not what glibc
    keeps in holes. A process left to itself may need more (measured: 398 MB for ten tensors of 21 MB and one in
    passing).

    The child has imported the module of `work` before it counts; imports inside `work` count. Sampled every 2 ms: a
    shorter peak may be missed.

    Args:
        work: A function of an importable module.
        arguments: Sent to the child (picklable).

    Raises: NotAvailable where there is no /proc. RuntimeError with the child's traceback text if the work fails.
    """
    if not Path("/proc/self/status").is_file():
        raise NotAvailable(
            "RssAnon is read from /proc, which this system does not have.", "Measure peak memory on Linux.", field=None
        )
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_run_when_told, args=(theirs, work, arguments), daemon=True)
    child.start()
    theirs.close()
    try:
        ours.recv()  # imports are done
        before = _anonymous_bytes(child.pid)
        ours.send("go")
        peak = before
        while not ours.poll(_SAMPLE_SECONDS):
            peak = max(peak, _anonymous_bytes(child.pid))
        failure = ours.recv()
        peak = max(peak, _anonymous_bytes(child.pid))
        ours.send("done")
    except EOFError:
        child.join()
        raise RuntimeError(f"The measured process ended early, with exit code {child.exitcode}.") from None
    finally:
        ours.close()
        child.join()
    if failure:
        raise RuntimeError(f"The measured work failed:\n{failure}")
    return peak - before


def _run_when_told(connection: Connection, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    """The child: says that it is ready, waits, works, says how it went, and stays until it was looked at."""
    import gc
    import traceback

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's; others have no dynamic threshold
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _GIVE_BACK_FROM)
    gc.collect()
    connection.send("ready")
    connection.recv()
    try:
        held = work(*arguments)
        connection.send("")
    except Exception:
        held = None
        connection.send(traceback.format_exc())
    connection.recv()
    del held


def _anonymous_bytes(pid: int | None) -> int:
    """RssAnon of a process; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0
