"""The Wan family on diffusers' WanTransformer3DModel: Wan 2.1 and 2.2, text to video, with one or two experts.

Shapes: tokens float32 [B, N, C], one for each latent cell; the transformer itself sees patches of 1 × 2 × 2 cells.
Wan 2.2 has an expert for high noise and one for low noise. Wan 2.2 TI2V was trained with a level per patch. Report:
Wan, arXiv:2503.20314. Trained on v = ε − x₀ with timestep 1000·σ: nothing to convert.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from engines.backend.attention.positions import turned_wan
from engines.backend.families.base import Frames, LatentGeometry, PromptEmbedding, Tokens
from engines.backend.families.checkpoint import Checkpoint
from engines.backend.families.latent_codec import LatentCodec, pixels_of
from engines.backend.families.video_family import (
    TIMESTEP_SCALE,
    VideoFamily,
    beside_of,
    from_grid,
    grid_of,
    is_uniform,
    to_grid,
)
from engines.backend.memory.residence import PartName


class WanFamily(VideoFamily):
    """See VideoFamily.

    Args:
        checkpoint: Its transformer is WanTransformer3DModel, of two experts the one for high noise; its autoencoder is
            AutoencoderKLWan.
        low_noise: The expert for σ below `boundary`, None where one transformer does it all.
        boundary: `boundary_ratio` of the checkpoint's model_index.json.

    Raises: ValueError if the checkpoint contradicts its card.
    """

    def __init__(self, checkpoint: Checkpoint, low_noise: Any | None = None, boundary: float | None = None) -> None:
        card, transformer, autoencoder = checkpoint.card, checkpoint.transformer, checkpoint.autoencoder
        config = autoencoder.config
        checkpoint.compare_with_card(
            {
                "spatial_compression": config.scale_factor_spatial,
                "temporal_compression": config.scale_factor_temporal,
            },
        )
        if (low_noise is None) != (boundary is None):
            raise ValueError(f"{card.id} needs both a second expert and the level where it takes over, or neither")
        mean, deviation = (torch.tensor(values) for values in (config.latents_mean, config.latents_std))
        codec = LatentCodec(autoencoder, mean, 1 / deviation, card.facts.spatial_compression, transformer.device)
        super().__init__(checkpoint, codec)
        self.low_noise = None if low_noise is None else low_noise.eval()
        self.boundary = boundary

    def expert(self, sigma: float) -> Any:
        """The transformer that speaks at this noise level."""
        return self.low_noise if self._is_low(sigma) else self.transformer

    @property
    def _transformers(self) -> dict[PartName, Any]:
        return super()._transformers | ({} if self.low_noise is None else {"transformer_2": self.low_noise})

    def _is_low(self, sigma: float) -> bool:
        return self.boundary is not None and sigma < self.boundary

    def _speaking(self, sigmas: Tensor) -> PartName:
        return "transformer_2" if self._is_low(float(sigmas.max())) else "transformer"

    def _velocity(self, tokens: Tokens, sigmas: Tensor, prompt: PromptEmbedding) -> Tensor:
        """Raises ValueError for tokens beyond the grid."""
        grid = grid_of(tokens)
        cells = [to_grid(tokens.values, grid)]
        if self.channels_beside:
            cells.append(beside_of(tokens, self.channels_beside, self.card.id))
        velocity: Tensor = self.expert(float(sigmas.max()))(
            hidden_states=torch.cat(cells, dim=1).to(self.dtype),
            timestep=self._timestep(sigmas, grid),
            encoder_hidden_states=prompt.values.to(self.dtype),
            encoder_hidden_states_image=None if prompt.picture is None else prompt.picture.to(self.dtype),
            **self._further_inputs(tokens),
            return_dict=False,
        )[0]
        return from_grid(velocity.float())

    def turned(self, bare: Tensor, places: Tensor) -> Tensor:
        """See VideoFamily; places are slot, patch row and patch column."""
        return turned_wan(self.transformer.rope, bare, places)

    def places(self, geometry: LatentGeometry) -> Tensor:
        """See VideoFamily."""
        axes = (torch.arange(count, dtype=torch.float32) for count in self._patches(geometry.grid))
        return torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)[None]

    def _further_inputs(self, tokens: Tokens) -> dict[str, Tensor]:
        """What a transformer with a control branch is given."""
        return {}

    def beside(self, geometry: LatentGeometry, frames: Mapping[int, Frames]) -> Tensor:
        """A mask for each of a slot's four frames (the first frame fills its slot), then the latents of a clip that is
        grey where nothing is given; as WanImageToVideoPipeline lays it out."""
        ratio = self.card.facts.temporal_compression
        if self.channels_beside != self.channels + ratio:
            return super().beside(geometry, frames)
        pixels = torch.zeros(1, 3, geometry.frames, geometry.height, geometry.width)
        known = torch.zeros(geometry.frames)
        for number, frame in frames.items():
            pixels[:, :, number] = pixels_of(torch.from_numpy(frame)[None])[:, :, 0]
            known[number] = 1
        latents = self.residence.run("autoencoder", lambda: self.codec.encode_pixels(pixels))
        by_slot = torch.cat([known[:1].repeat(ratio), known[1:]]).view(-1, ratio).T
        mask = by_slot[None, :, :, None, None].expand(1, -1, -1, *latents.shape[-2:]).to(latents)
        return from_grid(torch.cat([mask, latents], dim=1))

    def _timestep(self, sigmas: Tensor, grid: tuple[int, int, int]) -> Tensor:
        """[B], or [B, patches] where levels differ; a patch stands at the highest level of its cells."""
        if is_uniform(sigmas):
            return sigmas[:, 0] * TIMESTEP_SCALE
        patch = tuple(self.transformer.config.patch_size)
        levels = torch.nn.functional.max_pool3d(sigmas.unflatten(1, grid), patch, patch)
        return levels.flatten(1) * TIMESTEP_SCALE
