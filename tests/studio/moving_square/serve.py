"""`python -m tests.studio.moving_square.serve HOME PORT`: the whole studio with engines that need no model."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from studio.app import serve
from studio.jobs.queue import JobQueue
from tests.studio.doubling import registered as doubling
from tests.studio.moving_square import registered as moving_square
from tests.studio.repeating import registered as repeating

MODULES = [one.__name__ for one in (moving_square, doubling, repeating)]


def end(number: int, frame: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    with JobQueue(Path(sys.argv[1]), modules=MODULES) as queue:
        serve(queue, "127.0.0.1", int(sys.argv[2]))
