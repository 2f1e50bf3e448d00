"""Downloads that were begun on the page: each in a process of its own, which goes on where an earlier one stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from engines.backend.catalogue import PROJECT_ROOT
from engines.byte_sizes import spoken_bytes


@dataclass
class Fetching:
    """One model on its way.

    Attributes:
        fetched, missing: Bytes so far, and of everything that was not here when it began; 0 until the hub has answered.
        error: What went wrong and what to do; empty while it runs, when it was stopped and when all is here.
    """

    process: subprocess.Popen[str]
    fetched: int = 0
    missing: int = 0
    error: str = ""
    stopped: bool = False
    reader: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @property
    def is_running(self) -> bool:
        return self.reader.is_alive()

    def _read(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                told = json.loads(line)
                self.fetched, self.missing = told["fetched"], told["missing"]
        said = self.process.stderr.read().strip().splitlines()
        if self.process.wait() and not self.stopped:
            self.error = said[-1] if said else "The download ended without a word. Start it again."


class ModelDownloads:
    """At most one download of each model.

    Args:
        environment: Of the processes; None for the studio's own.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(os.environ if environment is None else environment)
        self._fetching: dict[str, Fetching] = {}
        self._lock = threading.Lock()

    def start(self, model: str) -> None:
        """Does nothing where it runs already."""
        with self._lock:
            known = self._fetching.get(model)
            if known is None or not known.is_running:
                self._fetching[model] = Fetching(self._process([model, "--yes", "--tell"]))

    def stop(self, model: str) -> None:
        """What was fetched is kept."""
        with self._lock:
            known = self._fetching.get(model)
            if known is not None and known.is_running:
                known.stopped = True
                known.process.terminate()
                known.reader.join()

    def of(self, model: str) -> Fetching | None:
        return self._fetching.get(model)

    def is_running(self, model: str) -> bool:
        known = self.of(model)
        return known is not None and known.is_running

    def _process(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "engines.backend.downloads", *arguments], cwd=PROJECT_ROOT, text=True,
            env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip


def progress_html(fetching: Fetching | None) -> str:
    """How far it is, or how it ended; nothing where none was begun."""
    if fetching is None:
        return ""
    if fetching.is_running:
        if not fetching.missing:
            return note("Asking the hub …")
        share = min(1.0, fetching.fetched / fetching.missing)
        said = f"{spoken_bytes(fetching.fetched)} of {spoken_bytes(fetching.missing)}"
        bar = f'<progress value="{share:.4f}" max="1" aria-label="Download"></progress>'
        return note(f"{bar} {said}")
    if fetching.error:
        return note(escape(fetching.error), "failed")
    if fetching.stopped:
        return note("Stopped. What was fetched is kept; it goes on from there.")
    return note("All of it is here, compared with its checksums. Choose the model at the top of the page.")


def note(inner: str, kind: str = "", role: str = "status") -> str:
    """A line about a download."""
    return f'<p class="model-download {kind}" role="{role}">{inner}</p>'
