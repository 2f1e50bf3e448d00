"""A video in the sizes and lengths that a model takes. No torch here, so that a form can ask early.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engines.backend.catalogue import ModelCard
from engines.backend.geometry import LatentGeometry, plan_geometry
from engines.errors import LimitExceeded
from engines.footage.footage import Footage, Frame

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Fit:
    """How a video becomes a model's clip.

    Attributes:
        geometry: Of the clip; its frames are the video's, filled up to what the model takes.
        count: Frames of the video.
        warnings: What is cut away, filled up or shown at another rate.
    """

    geometry: LatentGeometry
    count: int
    warnings: tuple[str, ...]


def plan_fit(footage: Footage, card: ModelCard) -> Fit:
    """Raises: LimitExceeded for a video that is longer than the model's clips; as plan_geometry."""
    height, width = _size_like(footage, card)
    rate, most = card.facts.temporal_compression, max(card.trained_frames, default=257)
    if footage.count > most:
        raise LimitExceeded(
            f"The part to edit has {footage.count} frames; {card.title} makes up to {most}.",
            f"Choose an out point at most {most / float(footage.fps):.2f} seconds after the in point.",
            field="end",
        )
    frames = -(-(footage.count - 1) // rate) * rate + 1
    # A model counts time in its own frames: a clip of another rate is to it one that moves faster or slower.
    geometry = plan_geometry(card, height, width, frames, card.defaults.fps)
    return Fit(geometry, footage.count, tuple(_said(footage, geometry)))


def fitted(footage: Footage, fit: Fit) -> Frames:
    """The video as the model's clip, uint8 [T, H, W, 3]: cut to its shape, scaled, its last frame repeated."""
    size = (fit.geometry.width, fit.geometry.height)
    made = [_cut_and_scaled(frame, size) for frame in footage.frames(range(footage.count))]
    return np.stack(made + [made[-1]] * (fit.geometry.frames - len(made)))


def _size_like(footage: Footage, card: ModelCard) -> tuple[int, int]:
    """(height, width): the trained size of the nearest shape, else the model's area in the video's own shape."""
    shape = footage.width / footage.height
    if card.trained_sizes:
        best = min(card.trained_sizes, key=lambda size: abs(np.log(size.width / size.height / shape)))
        return best.height, best.width
    multiple, area = card.facts.size_multiple, card.defaults.width * card.defaults.height
    width, height = float(np.sqrt(area * shape)), float(np.sqrt(area / shape))
    return tuple(max(multiple, round(side / multiple) * multiple) for side in (height, width))  # type: ignore[return-value]


def _said(footage: Footage, geometry: LatentGeometry) -> list[str]:
    said = []
    if (footage.width, footage.height) != (geometry.width, geometry.height):
        kept = min(footage.width / geometry.width, footage.height / geometry.height)
        share = kept**2 * geometry.width * geometry.height / (footage.width * footage.height)
        cut = f", the middle {share:.0%} of the picture" if share < 0.995 else ""
        said.append(
            f"The model sees the clip in {geometry.width} × {geometry.height} pixels{cut}; the result has that size."
        )
    if geometry.frames != footage.count:
        said.append(
            f"The clip's {footage.count} frames are filled up to {geometry.frames} for the model, and cut again."
        )
    return said


def _cut_and_scaled(frame: Frame, size: tuple[int, int]) -> Frames:
    width, height = size
    rows, columns = frame.shape[:2]
    small = frame if frame.dtype == np.uint8 else ((frame.astype(np.uint32) + 128) // 257).astype(np.uint8)
    scale = min(columns / width, rows / height)
    cut_width, cut_height = round(width * scale), round(height * scale)
    top, left = (rows - cut_height) // 2, (columns - cut_width) // 2
    part = small[top : top + cut_height, left : left + cut_width]
    if part.shape[:2] == (height, width):
        return np.asarray(part, np.uint8)
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (width, height), interpolation=method), np.uint8)
