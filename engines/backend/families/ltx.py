"""The LTX family on diffusers' LTXVideoTransformer3DModel: the bundled model and LTX-Video folders.

Shapes: frames uint8 [T, H, W, 3]; pixels −1 … 1 [1, 3, T, H, W]; latents float32 [B, C, T', H', W'] normalised with
latents_mean and latents_std; tokens float32 [B, N, C], N = T'·H'·W' in order (t, h, w), patch size 1.
Paper: LTX-Video, arXiv:2501.00103. The model was trained on v = ε − x₀ with timestep 1000·σ: nothing to convert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from engines.backend.catalogue import Feature, ModelCard
from engines.backend.families.base import Frames, PromptEmbedding, Tokens
from engines.backend.geometry import LatentGeometry, plan_geometry
from engines.backend.previewer import LinearPreview, fit_linear_preview, to_uint8
from engines.backend.text_encoders import TextEncoder
from engines.sampling.site import Site

TIMESTEP_SCALE = 1000.0
TILE_FROM = 768  # pixels of the longer side from which the autoencoder works in tiles


class LTXFamily:
    """See engines.backend.families.base.Family.

    Args:
        card: Catalogue entry; its facts set the rotary base and the coordinates.
        transformer: LTXVideoTransformer3DModel on its device, in its dtype.
        autoencoder: AutoencoderKLLTXVideo or PatchVideoAutoencoder.
        text_encoder: From engines.backend.text_encoders.
        scheduler_config: The checkpoint's scheduler_config.json.
        revision: Hub commit or hash of the weights.

    Raises: ValueError if the checkpoint contradicts its card.
    """

    def __init__(
        self,
        card: ModelCard,
        transformer: Any,
        autoencoder: Any,
        text_encoder: TextEncoder,
        scheduler_config: Mapping[str, Any],
        revision: str,
    ) -> None:
        _compare_with_card(card, transformer, autoencoder)
        self.card = card
        self.features: frozenset[Feature] = card.features
        self.timestep_granularity: Literal["token", "sample"] = card.facts.timestep_granularity
        self.scheduler_config = scheduler_config
        self.revision = revision
        self.transformer = transformer.eval()
        self.transformer.rope.theta = card.facts.rope_theta
        self.autoencoder = autoencoder.eval()
        self.text_encoder = text_encoder
        self.channels = int(transformer.config.in_channels)
        self.device: torch.device = transformer.device
        self.dtype: torch.dtype = transformer.dtype
        self._scaling_factor = float(autoencoder.config.scaling_factor)
        self._linear_preview: LinearPreview | None = None

    def geometry(self, height: int, width: int, frames: int, fps: float) -> LatentGeometry:
        return plan_geometry(self.card, height, width, frames, fps)

    def encode_prompt(self, prompts: Sequence[str]) -> PromptEmbedding:
        encoded = self.text_encoder.encode(prompts)
        return PromptEmbedding(encoded.values.to(self.device), encoded.mask.to(self.device), encoded.unread)

    # Latents

    @torch.inference_mode()
    def encode(self, frames: Frames) -> Tensor:
        pixels = torch.from_numpy(frames).to(self.device).permute(3, 0, 1, 2).unsqueeze(0)
        pixels = (pixels.float() / 127.5 - 1).to(self.autoencoder.dtype)
        mode: Tensor = self.autoencoder.encode(pixels).latent_dist.mode()
        mean, std = self._statistics()
        return (mode.float() - mean) * self._scaling_factor / std

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Iterator[Frames]:
        """All frames in one chunk: LTX's decoder is not causal, so a prefix decodes differently (DIFFUSERS.md, 3).

        Large frames are decoded in tiles.
        """
        large = max(latents.shape[-2:]) * self.card.facts.spatial_compression >= TILE_FROM
        if large and hasattr(self.autoencoder, "enable_tiling"):
            self.autoencoder.enable_tiling()
        yield to_uint8(self._decode_pixels(latents)[0].permute(1, 2, 3, 0))

    @torch.inference_mode()
    def preview(self, latents: Tensor) -> Frames:
        if hasattr(self.autoencoder, "decode_linear"):
            pixels = self.autoencoder.decode_linear(self._denormalised(latents))
            return to_uint8(pixels[0].permute(1, 2, 3, 0))
        if self._linear_preview is None:
            self._linear_preview = fit_linear_preview(self._decode_pixels, self.channels, self.device)
        cell = self.card.facts.spatial_compression
        return self._linear_preview(latents, latents.shape[-2] * cell, latents.shape[-1] * cell)

    def _decode_pixels(self, latents: Tensor) -> Tensor:
        """Latents [1, C, T', H', W'] → pixels [1, 3, T, H, W]."""
        raw = self._denormalised(latents)
        # A decoder that was trained to finish the denoising is told that nothing is left to denoise.
        finishes = getattr(self.autoencoder.config, "timestep_conditioning", False)
        timestep = (torch.zeros(len(raw), device=raw.device, dtype=raw.dtype),) if finishes else ()
        pixels: Tensor = self.autoencoder.decode(raw, *timestep).sample
        return pixels

    def _denormalised(self, latents: Tensor) -> Tensor:
        mean, std = self._statistics()
        raw = latents.float().to(self.device) * std / self._scaling_factor + mean
        dtype: torch.dtype = self.autoencoder.dtype
        return raw.to(dtype)

    def _statistics(self) -> tuple[Tensor, Tensor]:
        """latents_mean and latents_std, float32 [1, C, 1, 1, 1]."""
        mean: Tensor = self.autoencoder.latents_mean
        std: Tensor = self.autoencoder.latents_std
        return mean.float().view(1, -1, 1, 1, 1), std.float().view(1, -1, 1, 1, 1)

    # Tokens

    def pack(self, latents: Tensor, geometry: LatentGeometry) -> Tokens:
        values = latents.flatten(2).transpose(1, 2)
        return Tokens(values, self.coordinates(geometry).to(values.device).expand(len(values), -1, -1))

    def unpack(self, values: Tensor, geometry: LatentGeometry) -> Tensor:
        grid = (geometry.latent_frames, geometry.latent_height, geometry.latent_width)
        latents: Tensor = values.transpose(1, 2).unflatten(2, grid)
        return latents

    def coordinates(self, geometry: LatentGeometry) -> Tensor:
        """Where each token begins: seconds, pixel row, pixel column; float32 [1, 3, N]."""
        facts = self.card.facts
        frame = torch.arange(geometry.latent_frames, dtype=torch.float32) * facts.temporal_compression
        if facts.slot_start == "causal":
            frame = (frame + 1 - facts.temporal_compression).clamp(min=0)
        rows = torch.arange(geometry.latent_height, dtype=torch.float32) * facts.spatial_compression
        columns = torch.arange(geometry.latent_width, dtype=torch.float32) * facts.spatial_compression
        grid = torch.meshgrid(frame / geometry.fps, rows, columns, indexing="ij")
        return torch.stack(grid).flatten(1).unsqueeze(0)

    @torch.inference_mode()
    def velocity(self, tokens: Tokens, sigmas: Tensor, prompt: PromptEmbedding, at: Site) -> Tensor:
        """v float32 [B, N, D].

        Raises: ValueError for levels that differ between tokens if the checkpoint was not trained for that.
        """
        timestep = sigmas * TIMESTEP_SCALE
        if bool((sigmas == sigmas[:, :1]).all()):
            timestep = timestep[:, 0]  # one modulation per sample instead of per token
        elif self.timestep_granularity == "sample":
            raise ValueError(f"{self.card.id} takes one noise level per sample, not per token")
        velocity: Tensor = self.transformer(
            hidden_states=tokens.values.to(self.dtype),
            encoder_hidden_states=prompt.values.to(self.dtype),
            timestep=timestep,
            encoder_attention_mask=prompt.mask,
            video_coords=tokens.coordinates,
            return_dict=False,
        )[0]
        return velocity.float()


def _compare_with_card(card: ModelCard, transformer: Any, autoencoder: Any) -> None:
    found = {
        "spatial_compression": autoencoder.spatial_compression_ratio,
        "temporal_compression": autoencoder.temporal_compression_ratio,
        "patch_size": transformer.config.patch_size,
        "patch_size_t": transformer.config.patch_size_t,
    }
    expected = {
        "spatial_compression": card.facts.spatial_compression,
        "temporal_compression": card.facts.temporal_compression,
        "patch_size": 1,
        "patch_size_t": 1,
    }
    wrong = [f"{name} is {found[name]}, expected {expected[name]}" for name in found if found[name] != expected[name]]
    if wrong:
        raise ValueError(f"the checkpoint of {card.id} does not fit its card: {'; '.join(wrong)}")
