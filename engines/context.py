"""What a running engine may touch of the world outside: progress, cancel, a work folder, models. Nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.errors import Cancelled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Progress:
    """One step of real work that has been done.

    Attributes:
        phase: Short word for what is going on: "loading", "encoding", "denoising", "decoding", "writing".
        step: Finished steps of this phase, 0 … total.
        total: Steps of this phase.
        preview: uint8 [T, H, W, 3] frames as far as they can be guessed now, or None.
        message: A sentence for the person, or "".
    """

    phase: str
    step: int
    total: int
    preview: npt.NDArray[np.uint8] | None = None
    message: str = ""


class CancelToken:
    """Set by the one who waits, checked by the one who works, at every step.

    Args:
        is_set: Asked at each check; the worker gives a function that looks into the job store.
    """

    def __init__(self, is_set: Callable[[], bool] | None = None) -> None:
        self._event = threading.Event()
        self._ask = is_set

    def cancel(self) -> None:
        self._event.set()

    @property
    def is_set(self) -> bool:
        return self._event.is_set() or (self._ask is not None and self._ask())

    def check(self) -> None:
        """Raises Cancelled once the token is set."""
        if self.is_set:
            raise Cancelled("The job was cancelled.")


def _ignore(progress: Progress) -> None:
    return None


def _go_on() -> None:
    return None


@dataclass
class RunContext:
    """Handed to Engine.run.

    Attributes:
        work_folder: Exists and is writable; finished parts and results live there.
        report: Called with each Progress.
        cancel: Checked at every step by `step`.
        models: An engines.backend.registry.ModelRegistry to share; None lets the engine make its own.
        chunk_border: Called by `at_chunk_border`; raises Paused if the job shall wait.
    """

    work_folder: Path
    report: Callable[[Progress], None] = _ignore
    cancel: CancelToken = field(default_factory=CancelToken)
    models: Any = None
    chunk_border: Callable[[], None] = _go_on

    def step(
        self,
        phase: str,
        step: int,
        total: int,
        preview: npt.NDArray[np.uint8] | None = None,
        message: str = "",
    ) -> None:
        """Reports progress, then raises Cancelled if the person wants to stop."""
        self.report(Progress(phase, step, total, preview, message))
        self.cancel.check()

    def at_chunk_border(self) -> None:
        """Called when another chunk is whole on the disk, after the `step` that reports its last frame.

        Raises: Paused if the person wants the job to wait; run again in the same folder it goes on with the next chunk.
        """
        self.chunk_border()
