"""What is submitted: small interpolation jobs of at least six chunks, in several sizes, and what each should become.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engines.context import RunContext
from engines.interpolation.engine import InterpolationEngine
from engines.interpolation.request import InterpolationRequest
from engines.media.digest import frames_digest
from engines.media.reader import ClipReader
from engines.media.writer import ClipWriter

FPS = 12
# (H, W, T of the source, rate): 288 to 432 frames of the result, 6 to 9 chunks.
SHAPES = (
    (48, 64, 42, "x8"), (32, 48, 48, "x8"), (64, 64, 90, "x4"), (48, 64, 108, "x4"), (32, 48, 36, "x8"),
    (48, 48, 108, "x4"), (64, 96, 72, "x4"), (32, 64, 42, "x8"), (48, 64, 36, "x8"), (48, 64, 72, "x4"),
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """One request and the digest of the frames of its file when nothing disturbs it."""

    video: Path
    rate: str
    frames: int
    digest: str

    @property
    def fields(self) -> dict[str, Any]:
        return {"video": str(self.video), "rate": self.rate}


def make_requests(folder: Path) -> Sequence[Wanted]:
    """Writes the clips and renders each request once in this process, undisturbed."""
    torch.set_num_threads(1)  # as the studio is started: other thread counts give other bits
    engine, made = InterpolationEngine(), []
    for index, (height, width, frames, rate) in enumerate(SHAPES):
        video = folder / f"clip_{index}.mp4"
        _write_clip(video, frames, height, width, index)
        work = folder / f"undisturbed_{index}"
        work.mkdir()
        result = engine.run(InterpolationRequest(video=video, rate=rate), RunContext(work))
        count = int(result.measurements["frames"])
        made.append(Wanted(video, rate, count, frames_digest(ClipReader(result.files[0].path))))
    return made


def _write_clip(path: Path, frames: int, height: int, width: int, seed: int) -> None:
    """Two soft discs that wander over a soft ground."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    ground = np.stack([90 + 60 * np.sin(columns / 9 + c) * np.cos(rows / 7 + seed) for c in range(3)], -1)
    ways = random.uniform(0.1, 0.9, (2, 2)), random.uniform(-0.6, 0.6, (2, 2)), random.uniform(40, 240, (2, 3))
    with ClipWriter(path, FPS, crf=12) as writer:
        for index in range(frames):
            frame = ground.copy()
            for start, speed, colour in zip(*ways, strict=True):
                y, x = (start + speed * index / frames) % 1 * (height, width)
                disc = 1 / (1 + np.exp(np.hypot(rows - y, columns - x) - min(height, width) / 6))
                frame = frame * (1 - disc[..., None]) + colour * disc[..., None]
            writer.write(frame.clip(0, 255).astype(np.uint8))
