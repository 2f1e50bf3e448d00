"""`python -m tests.studio.moving_square.serve HOME PORT`: the whole studio with this engine in page and worker."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from studio.app import serve
from studio.jobs.queue import JobQueue
from tests.studio.moving_square import registered


def end(number: int, frame: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    with JobQueue(Path(sys.argv[1]), modules=[registered.__name__]) as queue:
        serve(queue, "127.0.0.1", int(sys.argv[2]))
