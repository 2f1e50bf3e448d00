"""Where the clips of a cache come from: drawn scenes, or the clips that curation kept of a folder of videos.

Shape legend: frames uint8 [T, H, W, 3]; coverage float32 [S, h, w], share of a token that objects cover.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engines.backend.autoencoders.patch_video import SPACE, TIME
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.random_scene import random_scene
from engines.errors import InvalidRequest
from engines.training.curation.manifest import read_window
from engines.training.json_lines import read_lines
from engines.training.linear_code import object_coverage


@dataclass(frozen=True)
class CachePlan:
    """What a cache holds.

    Attributes:
        count: Clips; of a manifest at most so many.
        keyframes: Frames that are also encoded alone, in rising order; the last is the clip's last frame.
        manifest, videos: What `engines.training.curation` wrote, and the folder that it was given; "" for drawn scenes.
            Its clips of this shape are taken.
    """

    count: int
    frames: int
    seed: int
    height: int = 96
    width: int = 96
    keyframes: tuple[int, ...] = ()
    manifest: str = ""
    videos: str = ""

    @property
    def slots(self) -> int:
        return (self.frames - 1) // TIME + 1

    @property
    def rows(self) -> int:
        return self.height // SPACE

    @property
    def columns(self) -> int:
        return self.width // SPACE

    @property
    def tokens(self) -> int:
        return self.slots * self.rows * self.columns


@dataclass(frozen=True)
class CacheRow:
    """One clip, what of it objects cover, and what it shows."""

    frames: npt.NDArray[np.uint8]
    coverage: torch.Tensor
    caption: str


def render_row(plan: CachePlan, row: int) -> tuple[RenderedScene, str]:
    """Clip and caption of a row: a function of (seed, row) alone."""
    random = np.random.default_rng([plan.seed, row])
    spec = random_scene(random, frames=plan.frames, height=plan.height, width=plan.width)
    return render_scene(spec), caption(spec, random).text


def rows_of(plan: CachePlan) -> Callable[[int], CacheRow]:
    """Gives any row of the cache."""
    if not plan.manifest:
        return lambda row: _drawn(plan, row)
    lines = manifest_lines(plan)
    return lambda row: _filmed(plan, lines[row], row)


def _drawn(plan: CachePlan, row: int) -> CacheRow:
    scene, text = render_row(plan, row)
    return CacheRow(scene.frames, object_coverage(scene), text)


def _filmed(plan: CachePlan, line: dict[str, Any], row: int) -> CacheRow:
    """Nobody knows where the objects are in a film: every token counts the same."""
    frames = read_window(line, Path(plan.videos))
    captions = line["captions"] or [""]
    text = captions[int(np.random.default_rng([plan.seed, row]).integers(len(captions)))]
    return CacheRow(frames, torch.zeros(plan.slots, plan.rows, plan.columns), text)


def manifest_lines(plan: CachePlan) -> list[dict[str, Any]]:
    """The manifest's clips of the plan's shape, in its order."""
    shape = (plan.frames, plan.height, plan.width)
    lines = read_lines(Path(plan.manifest))
    return [line for line in lines if (line["frames"], line["height"], line["width"]) == shape][: plan.count]


def with_what_there_is(name: str, plan: CachePlan) -> CachePlan:
    """The plan with as many clips as its manifest has.

    Raises: InvalidRequest naming the cache if the manifest, its videos or clips of this shape are not there.
    """
    if not plan.manifest:
        return plan
    field = f"caches.{name}"
    for wanted, what in ((Path(plan.manifest).is_file(), "manifest"), (Path(plan.videos).is_dir(), "videos")):
        if not wanted:
            raise InvalidRequest(
                f"{field}.{what}: there is no “{getattr(plan, what)}”.",
                "Run python -m engines.training.curation first, and name its manifest.jsonl and the folder of videos.",
                f"{field}.{what}",
            )
    count = len(manifest_lines(plan))
    if not count:
        raise InvalidRequest(
            f"{field}: “{plan.manifest}” has no clip of {plan.frames} frames of {plan.width} × {plan.height} pixels.",
            "Take frames, height and width from the buckets in report.md beside it.",
            field,
        )
    return replace(plan, count=count)
