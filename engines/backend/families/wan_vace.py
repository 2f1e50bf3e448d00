"""Wan VACE on diffusers' WanVACETransformer3DModel: a video and a mask of what is to be made guide a control branch.

Shapes: video uint8 [T, H, W, 3]; mask bool [T, H, W]; control [B, E, T', H', W'] = latents of what stays (C), latents
of what is to be made anew (C), and the mask's pixels of each cell (the square of the spatial compression).
Paper: VACE, arXiv:2503.07598.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engines.backend.families.base import Frames, LatentGeometry, Tokens
from engines.backend.families.checkpoint import Checkpoint
from engines.backend.families.latent_codec import pixels_of
from engines.backend.families.video_family import beside_of, from_grid, grid_of, to_grid
from engines.backend.families.wan import WanFamily


class WanVACEFamily(WanFamily):
    """See WanFamily; its transformer is WanVACETransformer3DModel."""

    def __init__(self, checkpoint: Checkpoint, low_noise: Any | None = None, boundary: float | None = None) -> None:
        super().__init__(checkpoint, low_noise, boundary)
        self._all_new = lru_cache(maxsize=2)(self._make_all_new)

    def control(self, geometry: LatentGeometry, video: Frames, new: npt.NDArray[np.bool_]) -> Tensor:
        """A video and what of it is to be made, as channels beside the latents, float32 [1, N, E].

        Args:
            video: uint8 [T, H, W, 3]; guides the new part too (a depth or pose video does).
            new: bool [T, H, W].

        Raises: ValueError for another size than the geometry's.
        """
        wanted = (geometry.frames, geometry.height, geometry.width)
        if video.shape[:3] != wanted or new.shape != wanted:
            raise ValueError(f"video {video.shape[:3]} and mask {new.shape} are not {wanted}")
        pixels = pixels_of(torch.from_numpy(video))
        return from_grid(self._laid_out(pixels, torch.from_numpy(new).float()))

    def beside(self, geometry: LatentGeometry, frames: Mapping[int, Frames]) -> Tensor:
        """Whole frames that are given; all others are made. See Family."""
        video = np.zeros((geometry.frames, geometry.height, geometry.width, 3), np.uint8)
        new = np.ones(video.shape[:3], bool)
        for number, frame in frames.items():
            video[number], new[number] = frame, False
        pixels = pixels_of(torch.from_numpy(video))
        mask = torch.from_numpy(new).float()
        return from_grid(self._laid_out(pixels * (1 - mask), mask))  # grey where nothing is given

    def _further_inputs(self, tokens: Tokens) -> dict[str, Tensor]:
        channels = int(self.transformer.config.vace_in_channels)
        if tokens.beside is None:
            control = to_grid(self._all_new(grid_of(tokens)), grid_of(tokens)).expand(
                len(tokens.values), -1, -1, -1, -1
            )
        else:
            control = beside_of(tokens, channels, self.card.id)
        return {"control_hidden_states": control.to(self.device, self.dtype)}

    def _make_all_new(self, grid: tuple[int, int, int]) -> Tensor:
        """Text alone: a grey video of which everything is to be made."""
        facts = self.card.facts
        frames = (grid[0] - 1) * facts.temporal_compression + 1
        height, width = (side * facts.spatial_compression for side in grid[1:])
        return from_grid(self._laid_out(torch.zeros(1, 3, frames, height, width), torch.ones(frames, height, width)))

    def _laid_out(self, pixels: Tensor, new: Tensor) -> Tensor:
        """pixels −1 … 1 [1, 3, T, H, W], new 0 or 1 [T, H, W] → control."""
        latents = [
            self.residence.run("autoencoder", lambda part=part: self.codec.encode_pixels(part), alone=False)  # type: ignore[misc]
            for part in (pixels * (1 - new), pixels * new)
        ]
        cell = self.card.facts.spatial_compression
        by_pixel = new.unflatten(1, (-1, cell)).unflatten(3, (-1, cell)).permute(2, 4, 0, 1, 3).flatten(0, 1)
        mask = torch.nn.functional.interpolate(by_pixel[None], size=latents[0].shape[-3:], mode="nearest-exact")
        return torch.cat([*latents, mask.to(latents[0])], dim=1)
