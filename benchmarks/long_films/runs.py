"""Whole renders through the engine, in processes of their own: how much memory they take, and what a kill costs.

python -m benchmarks.long_films.runs FOLDER WAY FRAMES STEPS [KILL_AFTER]    renders; kills itself after so many steps
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from engines.context import Progress, RunContext
from engines.media.reader import ClipReader
from engines.metrics.memory import peak_anonymous_bytes
from engines.text_to_video.engine import TextToVideoEngine
from engines.text_to_video.request import TextToVideoRequest

PROMPT = "a fox bounces on the beach"


def render(folder: str, method: str, frames: int, steps: int, kill_after: int | None = None) -> Path:
    """Returns: the video, without loss."""
    done = [0]

    def watch(progress: Progress) -> None:
        done[0] += progress.phase == "denoising"
        if done[0] == kill_after:
            os.kill(os.getpid(), signal.SIGKILL)

    asked = {"long_method": method, "frames": frames, "steps": steps, "output_format": "png", "preview_every": 0}
    request = TextToVideoRequest.model_validate({"prompt": PROMPT, **asked})
    result = TextToVideoEngine().run(request, RunContext(Path(folder), watch))
    return result.files[0].path


def frames_of(folder: Path, method: str, frames: int, steps: int, kill_after: int | None = None) -> np.ndarray | None:
    """Of a render in a process of its own; None if that was killed, as it was told to be."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.long_films.runs", str(folder), method, str(frames), str(steps)]
    ended = subprocess.run([*command, *([] if kill_after is None else [str(kill_after)])], check=False).returncode
    if kill_after is not None:
        assert ended == -signal.SIGKILL, f"it ended with {ended}"
        return None
    assert ended == 0, f"it ended with {ended}"
    return np.concatenate(list(ClipReader(folder / "seed_0.zip")))


def largest_change_after_a_kill(folder: Path, method: str, frames: int, steps: int, kill_after: int) -> float:
    """Grey levels between a film in one go and one that was killed and went on."""
    whole = frames_of(folder / "whole", method, frames, steps)
    frames_of(folder / "killed", method, frames, steps, kill_after)
    again = frames_of(folder / "killed", method, frames, steps)
    assert whole is not None
    assert again is not None
    return float(np.abs(whole.astype(int) - again.astype(int)).max())


def peak_of(folder: Path, method: str, frames: int) -> int:
    """Bytes that a fresh process takes for a render in few steps."""
    folder.mkdir(parents=True, exist_ok=True)
    return peak_anonymous_bytes(render, str(folder), method, frames, 2)


if __name__ == "__main__":
    where, way, *numbers = sys.argv[1:]
    render(where, way, *map(int, numbers))
