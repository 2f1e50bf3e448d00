"""Diorama clips whose masks are known, and marks as somebody would draw them who sees the truth.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import Camera, Degradation, SceneSpec, Thing
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.selection.marks import Mark

Region = npt.NDArray[np.bool_]


def scene(noun: str, motion: str, where: str, **more: object) -> SceneSpec:
    """One thing that moves, 17 frames of 96 × 96 unless `more` says otherwise."""
    return SceneSpec(scene=where, actors=(Thing(noun=noun, motion=motion, seed=5),), sound=False, **more)  # type: ignore[arg-type]


MOVING = {
    "fox": scene("fox", "slides left", "purple wall"),
    "dog": scene("dog", "rises", "clouds"),
    "frog": scene("frog", "slides right", "road"),
    "whale": scene("whale", "circles", "pink wall"),
    "owl": scene("owl", "falls", "field"),
    "noisy": scene(
        "pig", "circles", "mountains", camera=Camera(pan=(0.1, 0)), degradation=Degradation(noise=6, quality=60)
    ),
}


@cache
def drawn(name: str) -> tuple[ClipFootage, Region]:
    """A clip of MOVING and the mask of its thing, bool [T, H, W]."""
    return rendered(MOVING[name])


def rendered(spec: SceneSpec) -> tuple[ClipFootage, Region]:
    made = render_scene(spec)
    return ClipFootage(Clip(made.frames, Fraction(24))), made.coverage[0] > 0.5


def box_around(truth: Region, frame: int = 0) -> Mark:
    """A box one pixel wider than the thing."""
    rows, columns = np.nonzero(truth.any(1))[0], np.nonzero(truth.any(0))[0]
    height, width = truth.shape
    left, top = max(0, int(columns[0]) - 1), max(0, int(rows[0]) - 1)
    right, bottom = min(width, int(columns[-1]) + 2), min(height, int(rows[-1]) + 2)
    return Mark(frame=frame, kind="box", box=(left, top, right, bottom))


def click_in(truth: Region, frame: int = 0) -> Mark:
    """Where the thing is widest."""
    inside = cv2.distanceTransform(truth.astype(np.uint8), cv2.DIST_L2, 5)
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return Mark(frame=frame, kind="click", points=((float(column), float(row)),))


def overlap(one: Region, other: Region) -> float:
    """Intersection over union; 1 of two empty masks."""
    union = (one | other).sum()
    return float((one & other).sum() / union) if union else 1.0


def mean_overlap(found: Region, truth: Region) -> float:
    return float(np.mean([overlap(one, other) for one, other in zip(found, truth, strict=True)]))
