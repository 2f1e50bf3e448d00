"""A video in the sizes and lengths that a model takes. No torch here, so that a form can ask early.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice

import cv2
import numpy as np
import numpy.typing as npt

from engines.backend.catalogue import ModelCard
from engines.backend.geometry import LatentGeometry, plan_geometry
from engines.errors import LimitExceeded
from engines.footage.alignment import eight_bit
from engines.footage.footage import Footage, Frame
from engines.footage.sizes import size_like
from engines.long_video.chunk_plan import ChunkPlan

Frames = npt.NDArray[np.uint8]
OVERLAP_SLOTS = 2  # that a chunk of an edit is given of the one before
MOST_FRAMES = 257  # of an edit by words, in chunks


@dataclass(frozen=True)
class Fit:
    """How a video becomes a model's clip.

    Attributes:
        geometry: Of the clip; its frames are the video's, filled up to what the model takes.
        every: Which frames of the video these are: 1 every one, 2 every second.
        count: So many of them.
        fps: Of them.
        window: Frames that the model makes at once; a longer clip is edited in chunks.
        warnings: What is cut away, filled up or shown at another rate.
    """

    geometry: LatentGeometry
    every: int
    count: int
    fps: Fraction
    window: int
    warnings: tuple[str, ...]

    @property
    def at_once(self) -> LatentGeometry:
        """Of what the model sees at once."""
        rate = (self.geometry.frames - 1) // max(1, self.geometry.latent_frames - 1) or 1
        slots = min(self.geometry.latent_frames, (self.window - 1) // rate + 1)
        return replace(self.geometry, frames=min(self.window, self.geometry.frames), latent_frames=slots)


def plan_fit(footage: Footage, card: ModelCard, shape: float | None = None, in_chunks: bool = False) -> Fit:
    """How a clip of the model's has to be for this video.

    Args:
        shape: Width / height of the clip; None is the video's own.
        in_chunks: Whether it may be longer than what the model makes at once.

    Raises: LimitExceeded for a video that is too long; as plan_geometry.
    """
    height, width = size_like(footage.width / footage.height if shape is None else shape, card)
    rate, at_once = card.facts.temporal_compression, max(card.trained_frames, default=card.defaults.frames)
    most = MOST_FRAMES if in_chunks else at_once
    every = max(1, round(footage.fps / card.defaults.fps))
    count, fps = -(-footage.count // every), footage.fps / every
    if count > most:
        seen = f", of which the model sees {count}" if every > 1 else ""
        raise LimitExceeded(
            f"The part to edit has {footage.count} frames{seen}; {card.title} makes up to {most} of them.",
            f"Choose an out point at most {most / float(fps):.2f} seconds after the in point.",
            field="end",
        )
    frames = -(-(count - 1) // rate) * rate + 1
    # A model counts time in its own frames: a clip of another rate is to it one that moves faster or slower.
    geometry = plan_geometry(card, height, width, frames, card.defaults.fps)
    window = at_once if frames <= at_once else card.defaults.frames
    fit = Fit(geometry, every, count, fps, window, ())
    said = [*(_said_of_size(footage, geometry) if shape is None else []), *_said_of_frames(fit)]
    return replace(fit, warnings=tuple(said))


def plan_chunks(fit: Fit, time: int) -> ChunkPlan:
    """How an edit of this clip is cut; a clip that fits is one chunk. time: Frames per slot."""
    overlap = OVERLAP_SLOTS * time if fit.geometry.frames > fit.window else 0
    return ChunkPlan(fit.geometry.frames, min(fit.window, fit.geometry.frames), overlap, time)


def fitted(footage: Footage, fit: Fit) -> Frames:
    """The video as the model's clip, uint8 [T, H, W, 3]: cut to its shape, scaled, its last frame repeated.

    Of a video that shows many more frames a second than the model's clips do, only so many as they do: what moves would
    move slower in the model's eyes than it does.
    """
    return fitted_frames(footage.frames(range(footage.count)), fit)


def fitted_frames(frames: Iterable[Frame], fit: Fit) -> Frames:
    """The same of frames of the video's size that belong to it, one for each of its own."""
    size = (fit.geometry.width, fit.geometry.height)
    made = [_cut_and_scaled(frame, size) for frame in islice(frames, 0, None, fit.every)]
    return np.stack(made + [made[-1]] * (fit.geometry.frames - len(made)))


def fitted_masks(mattes: Iterable[npt.NDArray[np.float32]], fit: Fit) -> npt.NDArray[np.float32]:
    """Mattes of the video, cut and scaled as its frames are: float32 [T, H, W]."""
    greys = (np.repeat(np.rint(matte * 255).astype(np.uint8)[..., None], 3, axis=2) for matte in mattes)
    return fitted_frames(greys, fit)[..., 0].astype(np.float32) / np.float32(255)


def inside_canvas(footage: Footage, fit: Fit) -> tuple[Frames, npt.NDArray[np.float32]]:
    """The video, whole, in the middle of the model's clip, and where it is not.

    Returns: uint8 [T, H, W, 3], beyond the video its edge repeated; float32 [T, H, W], 1 beyond the video.
    """
    height, width = fit.geometry.height, fit.geometry.width
    scale = min(width / footage.width, height / footage.height)
    rows, columns = min(height, round(footage.height * scale)), min(width, round(footage.width * scale))
    top, left = (height - rows) // 2, (width - columns) // 2
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    made = []
    for frame in islice(footage.frames(range(footage.count)), 0, None, fit.every):
        small = cv2.resize(eight_bit(frame), (columns, rows), interpolation=method)
        border = (top, height - rows - top, left, width - columns - left)
        made.append(np.asarray(cv2.copyMakeBorder(small, *border, cv2.BORDER_REPLICATE), np.uint8))
    beyond = np.ones((fit.geometry.frames, height, width), np.float32)
    beyond[:, top : top + rows, left : left + columns] = 0
    return np.stack(made + [made[-1]] * (fit.geometry.frames - len(made))), beyond


def _said_of_size(footage: Footage, geometry: LatentGeometry) -> list[str]:
    if (footage.width, footage.height) == (geometry.width, geometry.height):
        return []
    kept = min(footage.width / geometry.width, footage.height / geometry.height)
    share = kept**2 * geometry.width * geometry.height / (footage.width * footage.height)
    cut = f", the middle {share:.0%} of the picture" if share < 0.995 else ""
    return [f"The model sees and makes the clip in {geometry.width} × {geometry.height} pixels{cut}."]


def _said_of_frames(fit: Fit) -> list[str]:
    said = []
    if fit.every > 1:
        said.append(f"The model sees {float(fit.fps):g} frames of each second, as many as its own clips have.")
    if fit.geometry.frames != fit.count:
        said.append(f"{fit.count} frames are filled up to {fit.geometry.frames} for the model, and cut again.")
    return said


def _cut_and_scaled(frame: Frame, size: tuple[int, int]) -> Frames:
    width, height = size
    rows, columns = frame.shape[:2]
    small = eight_bit(frame)
    scale = min(columns / width, rows / height)
    cut_width, cut_height = round(width * scale), round(height * scale)
    top, left = (rows - cut_height) // 2, (columns - cut_width) // 2
    part = small[top : top + cut_height, left : left + cut_width]
    if part.shape[:2] == (height, width):
        return np.asarray(part, np.uint8)
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (width, height), interpolation=method), np.uint8)
