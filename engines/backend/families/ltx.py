"""The LTX family on diffusers' LTXVideoTransformer3DModel: the bundled model and LTX-Video folders.

Shapes: tokens float32 [B, N, C], patch size 1; more tokens than the grid's may follow, with places of their own.
Paper: LTX-Video, arXiv:2501.00103. The model was trained on v = ε − x₀ with timestep 1000·σ: nothing to convert.
"""

from __future__ import annotations

from torch import Tensor

from engines.backend.attention.positions import turned_ltx
from engines.backend.families.base import PromptEmbedding, Tokens
from engines.backend.families.checkpoint import Checkpoint
from engines.backend.families.latent_codec import LatentCodec
from engines.backend.families.video_family import TIMESTEP_SCALE, VideoFamily, is_uniform
from engines.backend.geometry import LatentGeometry


class LTXFamily(VideoFamily):
    """See VideoFamily.

    Args:
        checkpoint: Its transformer is LTXVideoTransformer3DModel; the card's facts set its rotary base. Its
            autoencoder is AutoencoderKLLTXVideo or PatchVideoAutoencoder. LTX's decoder is not causal, so a prefix of
            the latents decodes differently (DIFFUSERS.md, 3): all frames come in one chunk.

    Raises: ValueError if the checkpoint contradicts its card.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        card, transformer, autoencoder = checkpoint.card, checkpoint.transformer, checkpoint.autoencoder
        checkpoint.compare_with_card(
            {
                "spatial_compression": autoencoder.spatial_compression_ratio,
                "temporal_compression": autoencoder.temporal_compression_ratio,
            },
        )
        if (transformer.config.patch_size, transformer.config.patch_size_t) != (1, 1):
            raise ValueError(f"the checkpoint of {card.id} does not fit its card: patch_size is not 1")
        scale = float(autoencoder.config.scaling_factor) / autoencoder.latents_std.float()
        codec = LatentCodec(
            autoencoder, autoencoder.latents_mean, scale, card.facts.spatial_compression, transformer.device
        )
        super().__init__(checkpoint, codec)
        self.transformer.rope.theta = card.facts.rope_theta

    def turned(self, bare: Tensor, places: Tensor) -> Tensor:
        """See VideoFamily; places are seconds, pixel row and pixel column, as `coordinates` gives them."""
        return turned_ltx(self.transformer.rope, bare, places)

    def places(self, geometry: LatentGeometry) -> Tensor:
        """See VideoFamily."""
        return self.coordinates(geometry)

    def _velocity(self, tokens: Tokens, sigmas: Tensor, prompt: PromptEmbedding) -> Tensor:
        timestep = sigmas * TIMESTEP_SCALE
        if is_uniform(sigmas):
            timestep = timestep[:, 0]  # one modulation per sample instead of per token
        velocity: Tensor = self.transformer(
            hidden_states=tokens.values.to(self.dtype),
            encoder_hidden_states=prompt.values.to(self.dtype),
            timestep=timestep,
            encoder_attention_mask=prompt.mask,
            video_coords=tokens.coordinates,
            return_dict=False,
        )[0]
        return velocity.float()
