"""The studio as a person starts it (`python app.py`), asked through gradio_client, and its two processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]
from gradio_client import Client, handle_file

from benchmarks.shared.versions import PROJECT_ROOT

PATIENCE_SECONDS = 120.0
# What a client sees when the studio dies under it.
GONE = (OSError, httpx.HTTPError, ValueError)


class Studio:
    """One studio folder and the web process that uses it now; it may be killed and started again.

    Args:
        home: The studio's folder.
        log: Where its processes print.
    """

    def __init__(self, home: Path, log: Path) -> None:
        self.home, self._log = home, log
        self._process: subprocess.Popen[bytes] | None = None
        self._client: Client | None = None

    def start(self) -> None:
        """Starts the web process and waits until it answers. Raises: RuntimeError if it does not."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        environment = {**os.environ, "FRAMEWRIGHT_HOME": str(self.home), "OMP_NUM_THREADS": "1"}
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "app.py", "--port", str(port)], cwd=PROJECT_ROOT, env=environment, stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._client = Client(url, verbose=False)
                return
            except GONE:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the studio did not start; see {self._log}") from None
                time.sleep(0.2)

    def submit(self, fields: dict[str, Any], key: str) -> str:
        """Uploads the video and queues a job. Returns its id. Raises: one of GONE if the studio is not there."""
        assert self._client is not None
        reply = self._client.predict(
            **{**fields, "video": handle_file(fields["video"])}, idempotency_key=key, api_name="/interpolate_submit"
        )
        if reply["error"]:
            raise RuntimeError(f"the studio refused a job: {reply['error']}")
        return str(reply["job_id"])

    def web(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def worker(self) -> psutil.Process | None:
        """The process that renders, None while there is none."""
        for child in self.web().children():
            try:
                if "studio.jobs.worker" in child.cmdline():
                    return child
            except psutil.NoSuchProcess:
                continue
        return None

    def kill_web(self) -> None:
        """As a crash does, without a word to anybody; the worker ends because its pipe does."""
        assert self._process is not None
        worker = self.worker()
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        if worker is not None:
            worker.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
