"""A picture of any size as a frame of the model's. No torch here, so that a form can ask early.

Orientation, transparency (on white), palettes, CMYK and 16 bits are the reader's business (engines.media.pictures).
Shape legend: H rows, W columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engines.backend.catalogue import ModelCard
from engines.backend.geometry import LatentGeometry, plan_geometry
from engines.errors import InvalidRequest
from engines.footage.alignment import eight_bit
from engines.footage.framing import Picture
from engines.footage.sizes import size_like
from engines.footage.video import VideoFootage
from engines.image_animation.request import ImageAnimationRequest
from engines.long_video.choice import OVERLAP, longest_at_once, plan_film, window_frames
from engines.long_video.chunk_plan import ChunkPlan
from engines.media.limits import Limits

SMALLEST = 32  # pixels of the shorter side


@dataclass(frozen=True)
class Plan:
    """How the request becomes a clip of the model's.

    Attributes:
        geometry: Of what is made at once: the clip, or a film's parts.
        chunks: How a film is cut; of one part where all is made at once.
        warnings: What is cut away, added or rounded.
    """

    geometry: LatentGeometry
    chunks: ChunkPlan
    warnings: tuple[str, ...]

    @property
    def frames(self) -> int:
        """Of the result."""
        return self.chunks.frames


def open_picture(path: Path, field: str) -> Picture:
    """uint8 [H, W, 3]. Raises: MediaError for what cannot be read; InvalidRequest for a video or a tiny picture."""
    source = VideoFootage(path, limits=Limits(), field=field)
    if source.info.kind != "picture":
        raise InvalidRequest(
            "This is a video, not a picture.", "Bring a picture, or use the Edit tab for a video.", field
        )
    if min(source.height, source.width) < SMALLEST:
        raise InvalidRequest(
            f"The picture has only {source.width} × {source.height} pixels.",
            f"Bring one of at least {SMALLEST} pixels on its shorter side.",
            field,
        )
    return eight_bit(next(source.frames(range(1))))


def plan_clip(request: ImageAnimationRequest, picture: Picture, card: ModelCard) -> Plan:
    """A clip in the trained shape that is nearest to the picture's. Raises: as plan_geometry."""
    height, width = size_like(picture.shape[1] / picture.shape[0], card)
    is_film = request.frames > longest_at_once(card)
    at_once = window_frames(card) if is_film else request.frames
    geometry = plan_geometry(card, height, width, at_once, card.defaults.fps)
    ratio = card.facts.temporal_compression
    chunks = plan_film("chained", request.frames if is_film else geometry.frames, geometry.frames, OVERLAP, ratio)
    said = [*geometry.warnings, *([chunks.sentence()] if is_film else [])]
    share = _kept_share(picture, height, width)
    if share < 0.995:
        said.append(
            f"The video has {width} × {height} pixels: the middle {share:.0%} of the picture."
            if request.framing == "crop"
            else f"The video has {width} × {height} pixels: the picture's edges are continued."
        )
    return Plan(geometry, chunks, tuple(said))


def _kept_share(picture: Picture, height: int, width: int) -> float:
    ratio = (picture.shape[1] / picture.shape[0]) / (width / height)
    return min(ratio, 1 / ratio)
