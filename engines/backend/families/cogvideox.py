"""The CogVideoX family on diffusers' CogVideoXTransformer3DModel: text to video, v-prediction turned into the flow's.

Shapes: tokens float32 [B, N, C], one for each latent cell; the transformer takes [B, T', C, H', W'] and patches 2 × 2.
Report: CogVideoX, arXiv:2408.06072. Timesteps are those of its training betas (engines.sampling.alphas).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor

from engines.backend.families.base import Frames, LatentGeometry, PromptEmbedding, Tokens
from engines.backend.families.checkpoint import Checkpoint
from engines.backend.families.latent_codec import LatentCodec
from engines.backend.families.video_family import VideoFamily, beside_of, from_grid, grid_of, to_grid
from engines.sampling.alphas import AlphaLevels, as_velocity

Rotary = tuple[Tensor, Tensor]
OFS = 2.0  # what CogVideoX 1.5's image-to-video checkpoints were always given


class CogVideoXFamily(VideoFamily):
    """See VideoFamily.

    Args:
        checkpoint: Its transformer is CogVideoXTransformer3DModel; its autoencoder is AutoencoderKLCogVideoX.

    Raises: ValueError if the checkpoint contradicts its card, or predicts something else than v.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        card, transformer, autoencoder = checkpoint.card, checkpoint.transformer, checkpoint.autoencoder
        config = autoencoder.config
        checkpoint.compare_with_card(
            {
                "spatial_compression": 2 ** (len(config.block_out_channels) - 1),
                "temporal_compression": int(config.temporal_compression_ratio),
            },
        )
        scheduler_config = checkpoint.scheduler_config
        if scheduler_config.get("prediction_type", "v_prediction") != "v_prediction":
            raise ValueError(
                f"{card.id} predicts {scheduler_config['prediction_type']!r}, only v_prediction is followed"
            )
        channels = int(transformer.config.out_channels)
        scale = torch.full((channels,), float(config.scaling_factor))
        codec = LatentCodec(
            autoencoder, torch.zeros(channels), scale, card.facts.spatial_compression, transformer.device
        )
        super().__init__(checkpoint, codec)
        self._levels = AlphaLevels.of(scheduler_config)
        self._rotary = lru_cache(maxsize=4)(self._make_rotary)

    def _velocity(self, tokens: Tokens, sigmas: Tensor, prompt: PromptEmbedding) -> Tensor:
        """Raises ValueError for tokens beyond the grid."""
        grid = grid_of(tokens)
        sigma = sigmas[:, 0]
        timestep = self._levels.timestep(sigma.cpu()).to(sigma.device)

        given = []
        if self.channels_beside:
            given.append(beside_of(tokens, self.channels_beside, self.card.id).transpose(1, 2))
        ofs = None if self.transformer.config.ofs_embed_dim is None else sigma.new_full((1,), OFS)

        def predict(z: Tensor) -> Tensor:
            predicted: Tensor = self.transformer(
                hidden_states=torch.cat([z, *given], dim=2).to(self.dtype),
                encoder_hidden_states=prompt.values.to(self.dtype),
                timestep=timestep,
                ofs=ofs,
                image_rotary_emb=self._rotary(grid),
                return_dict=False,
            )[0]
            return predicted.float()

        x = to_grid(tokens.values, grid).transpose(1, 2)
        return from_grid(as_velocity(x, sigma.view(-1, 1, 1, 1, 1), predict).transpose(1, 2))

    def beside(self, geometry: LatentGeometry, frames: Mapping[int, Frames]) -> Tensor:
        """The first frame's latents in the first slot and zeros elsewhere, as CogVideoXImageToVideoPipeline does."""
        if self.channels_beside != self.channels or set(frames) != {0}:
            return super().beside(geometry, frames)
        latents = torch.zeros(1, self.channels, *geometry.grid)
        first = self.encode(frames[0][None])
        if getattr(self.autoencoder.config, "invert_scale_latents", False):
            first = first / float(self.autoencoder.config.scaling_factor) ** 2
        latents[:, :, :1] = first
        return from_grid(latents)

    def _make_rotary(self, grid: tuple[int, int, int]) -> Rotary | None:
        """cos and sin as CogVideoXPipeline makes them; None for checkpoints with learned or sine positions."""
        from diffusers.models.embeddings import get_3d_rotary_pos_embed
        from diffusers.pipelines.cogvideo.pipeline_cogvideox import get_resize_crop_region_for_grid

        config = self.transformer.config
        if not config.use_rotary_positional_embeddings:
            return None
        frames, rows, columns = grid[0], grid[1] // config.patch_size, grid[2] // config.patch_size
        base = (config.sample_height // config.patch_size, config.sample_width // config.patch_size)
        shared = {"embed_dim": config.attention_head_dim, "grid_size": (rows, columns), "device": self.device}
        if config.patch_size_t is None:
            crops = get_resize_crop_region_for_grid((rows, columns), base[1], base[0])
            made = get_3d_rotary_pos_embed(crops_coords=crops, temporal_size=frames, **shared)
        else:
            slots = -(-frames // config.patch_size_t)
            made = get_3d_rotary_pos_embed(
                crops_coords=None, temporal_size=slots, grid_type="slice", max_size=base, **shared
            )
        cosine, sine = made
        return cosine, sine
