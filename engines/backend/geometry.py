"""What a model makes of a wanted size: rounding, warnings and limits. No torch here, so that a form can ask early."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engines.backend.catalogue import ModelCard
from engines.errors import InvalidRequest, LimitExceeded


@dataclass(frozen=True)
class LatentGeometry:
    """The size of a video in pixels and in latent cells.

    Attributes:
        height, width: Pixels.
        frames: Frames, after rounding.
        fps: Frames per second.
        latent_frames, latent_height, latent_width: Cells.
        warnings: Sentences about what was rounded and what the model was not trained for.
    """

    height: int
    width: int
    frames: int
    fps: float
    latent_frames: int
    latent_height: int
    latent_width: int
    warnings: tuple[str, ...] = ()

    @property
    def grid(self) -> tuple[int, int, int]:
        """Cells in time, height and width."""
        return self.latent_frames, self.latent_height, self.latent_width

    @property
    def tokens(self) -> int:
        """Latent cells of the whole video (patch size 1)."""
        return self.latent_frames * self.latent_height * self.latent_width


def plan_geometry(card: ModelCard, height: int, width: int, frames: int, fps: float) -> LatentGeometry:
    """Rounds to what the model allows, and says so.

    Args:
        card: Catalogue entry.
        height, width: Wanted pixels; refused if they are no multiples of the model's size_multiple.
        frames: Wanted frames, at least 1; rounded to the nearest r·k + 1.
        fps: Frames per second, above 0.

    Raises: InvalidRequest (field height, width, frames or fps), LimitExceeded if the video has too many latent cells.
    """
    facts = card.facts
    for name, value in (("width", width), ("height", height)):
        if value < facts.size_multiple or value % facts.size_multiple:
            lower = max(facts.size_multiple, value // facts.size_multiple * facts.size_multiple)
            raise InvalidRequest(
                f"{name} = {value} is not possible with {card.title}: it makes multiples of {facts.size_multiple}.",
                f"Choose {name} {lower} or {lower + facts.size_multiple}.",
                field=name,
            )
    if frames < 1:
        raise InvalidRequest(f"frames = {frames} is not possible.", "Choose frames of at least 1.", field="frames")
    if fps <= 0:
        raise InvalidRequest(f"fps = {fps:g} is not possible.", "Choose fps of at least 1.", field="fps")
    slots = max(0, math.floor((frames - 1) / facts.temporal_compression + 0.5))
    geometry = LatentGeometry(
        height=height,
        width=width,
        frames=slots * facts.temporal_compression + 1,
        fps=fps,
        latent_frames=slots + 1,
        latent_height=height // facts.spatial_compression,
        latent_width=width // facts.spatial_compression,
    )
    _refuse_absurd(card, geometry)
    return LatentGeometry(**{**geometry.__dict__, "warnings": tuple(_warnings(card, geometry, frames))})


def _refuse_absurd(card: ModelCard, geometry: LatentGeometry) -> None:
    limit = card.facts.max_tokens
    if geometry.tokens <= limit:
        return
    cells = geometry.latent_height * geometry.latent_width
    ways = []
    if cells <= limit:
        most = (limit // cells - 1) * card.facts.temporal_compression + 1
        ways.append(f"at {geometry.width} × {geometry.height} at most {most} frames")
    side = math.isqrt(limit // geometry.latent_frames) * card.facts.spatial_compression
    side = side // card.facts.size_multiple * card.facts.size_multiple
    if side:
        ways.append(f"with {geometry.frames} frames at most {side} × {side}")
    raise LimitExceeded(
        f"{geometry.width} × {geometry.height} with {geometry.frames} frames is too large for {card.title}: "
        f"{geometry.tokens:,} latent cells, {limit:,} are allowed.",
        f"Choose {' or '.join(ways)}.",
        field="frames" if cells <= limit else "width",
    )


def _warnings(card: ModelCard, geometry: LatentGeometry, wanted_frames: int) -> list[str]:
    ratio = card.facts.temporal_compression
    warnings = []
    if geometry.frames != wanted_frames:
        warnings.append(
            f"{wanted_frames} frames became {geometry.frames}: {card.title} makes 1, {ratio + 1}, {2 * ratio + 1}, "
            f"{3 * ratio + 1}, … frames."
        )
    sizes = [(size.width, size.height) for size in card.trained_sizes]
    if sizes and (geometry.width, geometry.height) not in sizes:
        known = ", ".join(f"{width} × {height}" for width, height in sizes)
        warnings.append(f"{card.title} was trained at {known}; {geometry.width} × {geometry.height} may look worse.")
    if card.trained_frames and geometry.frames not in card.trained_frames:
        known = ", ".join(str(frames) for frames in card.trained_frames)
        warnings.append(f"{card.title} was trained at lengths of {known} frames; {geometry.frames} may look worse.")
    if card.trained_sizes and geometry.fps != card.defaults.fps:
        warnings.append(f"{card.title} was trained at {card.defaults.fps} frames per second, not {geometry.fps:g}.")
    return warnings
