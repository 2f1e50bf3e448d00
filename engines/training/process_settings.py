"""What a training run sets in its own process while it lasts, and puts back: environment for its workers, signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Without the first two, freeing large tensors costs a fifth of the time in page faults (TRAINING.md).
WORKER_ENVIRONMENT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "20000000000", "OMP_NUM_THREADS": "1"}


@contextmanager
def environment_of_workers() -> Iterator[None]:
    """Processes that start inside get `WORKER_ENVIRONMENT`; this process's later children do not."""
    before = {name: os.environ.get(name) for name in WORKER_ENVIRONMENT}
    os.environ.update(WORKER_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def ended_by_signals(end: Callable[[], object]) -> Iterator[None]:
    """SIGTERM and Ctrl+C call `end` inside, and do what they did before again afterwards."""
    before = {number: signal.signal(number, lambda *_: end()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
