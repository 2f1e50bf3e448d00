"""Starts a whole studio as a child process, as a person would, and ends it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Of a busy machine; a studio that ends is noticed at once.
PATIENCE_SECONDS = 240.0


@dataclass(frozen=True)
class RunningStudio:
    """A studio that answers at `url` and keeps its things under `home`."""

    url: str
    home: Path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@contextmanager
def running_studio(
    home: Path, real_engine: bool = False, hosted: bool = False, quota_gigabytes: float = 0
) -> Iterator[RunningStudio]:
    """Runs until the block ends.

    Args:
        real_engine: As `python app.py` starts it; otherwise the moving square renders.
        hosted: As a hosting service starts it, in public mode.
        quota_gigabytes: What each owner may use of the disk; 0 for no limit.
    """
    port = free_port()
    command: Sequence[str] = (
        [sys.executable, "app.py", "--port", str(port)]
        if real_engine
        else [sys.executable, "-m", "tests.studio.moving_square.serve", str(home), str(port)]
    )
    log = home.parent / f"{home.name}.log"
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "FRAMEWRIGHT_HOME": str(home), "OMP_NUM_THREADS": "1"}
    environment |= {"GRADIO_SERVER_NAME": "127.0.0.1"} if hosted else {}
    environment |= {"FRAMEWRIGHT_QUOTA_GB": f"{quota_gigabytes:f}"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + PATIENCE_SECONDS
            while not answers(url):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(
                        f"the studio did not start:\n{log.read_text(encoding='utf-8', errors='replace')}"
                    )
                time.sleep(0.1)
            yield RunningStudio(url, home)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
