"""What is given of a clip, as the tokens that a model is shown.

Shape legend: N = S·P tokens of the grid (S slots, P cells of a slot), K keyframes, M = N + K·P, D channels of a token.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engines.backend.families.base import Family, Frames, LatentGeometry
from engines.conditioning.given import Given, Grid
from engines.errors import InvalidRequest


@dataclass(frozen=True)
class Condition:
    """What is known before sampling.

    Attributes:
        given: Which tokens are known, and which frames stand beside the grid as tokens of their own.
        values: float32 [1, M, D], clean; anything where a token is not given.
    """

    given: Given
    values: Tensor

    @property
    def is_given(self) -> Tensor:
        """bool [M]."""
        extra = self.values.shape[1] - self.given.tokens.numel()
        return torch.cat([self.given.tokens.flatten(), torch.ones(extra, dtype=torch.bool)])


def grid_of(geometry: LatentGeometry) -> Grid:
    """The geometry's tokens as a grid."""
    return Grid(geometry.latent_frames, geometry.latent_height, geometry.latent_width, geometry.fps)


def condition_on(family: Family, geometry: LatentGeometry, frames: Frames, given: Given) -> Condition:
    """Encodes what is given of a clip.

    Args:
        frames: uint8 [T, H, W, 3], the whole clip; what is not given of it may be anything. A frame of a slot that is
            given, or a keyframe, must be there.

    Raises: InvalidRequest if the frames are not those of the geometry.
    """
    wanted = (geometry.frames, geometry.height, geometry.width, 3)
    if frames.shape != wanted:
        raise InvalidRequest(
            f"The given frames are {list(frames.shape)}.",
            f"Give {geometry.frames} frames of {geometry.width} × {geometry.height} pixels.",
            field="frames",
        )
    values = torch.zeros(1, geometry.tokens, family.channels)
    slots = given.tokens.flatten(1).any(1).nonzero()
    if len(slots):
        # Causal: a slot's tokens are those of the clip up to it, so nothing after the last one given is looked at.
        last = int(slots[-1])
        part = frames[: 1 + last * family.card.facts.temporal_compression]
        known = family.pack(family.encode(part), _part(geometry, last + 1)).values
        values[:, : known.shape[1]] = known
    alone = [family.pack(family.encode(frames[key : key + 1]), _part(geometry, 1)).values for key in given.keyframes]
    return Condition(given, torch.cat([values, *alone], dim=1))


def _part(geometry: LatentGeometry, slots: int) -> LatentGeometry:
    return LatentGeometry(**{**geometry.__dict__, "latent_frames": slots})


def token_coordinates(family: Family, geometry: LatentGeometry, given: Given) -> Tensor:
    """The grid's own coordinates, then those of the keyframes, float32 [1, 3, M]: each at its frame's time."""
    grid = family.coordinates(geometry)
    picture = grid[:, :, : geometry.latent_height * geometry.latent_width]
    parts = [grid]
    for frame in given.keyframes:
        moved = picture.clone()
        moved[:, 0] = frame / geometry.fps
        parts.append(moved)
    return torch.cat(parts, dim=2)
