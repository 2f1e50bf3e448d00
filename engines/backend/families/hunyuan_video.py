"""HunyuanVideo 1.5 on diffusers' HunyuanVideo15Transformer3DModel: text to video, and a given first frame.

Shapes: tokens float32 [B, N, C], one for each latent cell; the transformer takes latents, latents that are given and
their mask as channels, [B, 2·C + 1, T', H', W']. Where nothing is given both are zero, as are the picture's tokens.
Report: HunyuanVideo 1.5, arXiv:2511.18870. Trained on v = ε − x₀ with timestep 1000·σ: nothing to convert.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from engines.backend.families.base import Frames, LatentGeometry, PromptEmbedding, Tokens
from engines.backend.families.checkpoint import Checkpoint
from engines.backend.families.latent_codec import LatentCodec
from engines.backend.families.video_family import TIMESTEP_SCALE, VideoFamily, beside_of, from_grid, grid_of, to_grid
from engines.backend.model_classes import HUNYUAN_PICTURE_TOKENS


class HunyuanVideoFamily(VideoFamily):
    """See VideoFamily.

    Args:
        checkpoint: Its transformer is HunyuanVideo15Transformer3DModel, its autoencoder
            AutoencoderKLHunyuanVideo15.

    Raises: ValueError if the checkpoint contradicts its card.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        card, transformer, autoencoder = checkpoint.card, checkpoint.transformer, checkpoint.autoencoder
        config = autoencoder.config
        checkpoint.compare_with_card(
            {
                "spatial_compression": config.spatial_compression_ratio,
                "temporal_compression": config.temporal_compression_ratio,
            },
        )
        channels = int(config.latent_channels)
        if int(transformer.config.in_channels) != 2 * channels + 1:
            raise ValueError(
                f"{card.id} takes {transformer.config.in_channels} channels, not latents, given latents and a mask"
            )
        scale = torch.full((channels,), float(config.scaling_factor))
        codec = LatentCodec(
            autoencoder, torch.zeros(channels), scale, card.facts.spatial_compression, transformer.device
        )
        super().__init__(checkpoint, codec)

    def beside(self, geometry: LatentGeometry, frames: Mapping[int, Frames]) -> Tensor:
        """The first frame's latents and a mask that is 1 in its slot, zeros elsewhere, as the pipeline does."""
        if set(frames) != {0}:
            return super().beside(geometry, frames)
        given = torch.zeros(1, self.channels_beside, *geometry.grid)
        given[:, :-1, :1] = self.encode(frames[0][None])
        given[:, -1, 0] = 1
        return from_grid(given)

    def _velocity(self, tokens: Tokens, sigmas: Tensor, prompt: PromptEmbedding) -> Tensor:
        """Raises ValueError for tokens beyond the grid, and for a prompt of another family's encoder."""
        if prompt.glyphs is None or prompt.glyph_mask is None:
            raise ValueError(f"{self.card.id} needs a prompt with glyphs, from its own text encoder")
        x = to_grid(tokens.values, grid_of(tokens))
        given = beside_of(tokens, self.channels_beside, self.card.id)
        picture = prompt.picture
        if picture is None:
            picture = x.new_zeros(len(x), HUNYUAN_PICTURE_TOKENS, int(self.transformer.config.image_embed_dim))
        velocity: Tensor = self.transformer(
            hidden_states=torch.cat([x, given], dim=1).to(self.dtype),
            timestep=(sigmas[:, 0] * TIMESTEP_SCALE).to(self.dtype),
            encoder_hidden_states=prompt.values.to(self.dtype),
            encoder_attention_mask=prompt.mask.to(self.dtype),
            encoder_hidden_states_2=prompt.glyphs.to(self.dtype),
            encoder_attention_mask_2=prompt.glyph_mask.to(self.dtype),
            image_embeds=picture.to(self.dtype),
            return_dict=False,
        )[0]
        return from_grid(velocity.float())
