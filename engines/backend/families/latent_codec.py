"""Frames to normalised latents and back, the same for every family: z = (mode − mean) · scale.

Shapes: frames uint8 [T, H, W, 3]; pixels −1 … 1 [1, 3, T, H, W]; latents float32 [B, C, T', H', W'].
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engines.backend.families.base import Frames
from engines.backend.previewer import LinearPreview, as_bytes, fit_linear_preview, to_uint8


class LatentCodec:
    """An autoencoder with the statistics that its family normalises with.

    Args:
        autoencoder: With diffusers' encode and decode, on its device, in its dtype.
        mean: [C], of the raw latents.
        scale: [C], what a raw latent without its mean is multiplied by.
        cell: Pixels of a latent cell's side.
        device: Where it computes.
    """

    def __init__(self, autoencoder: Any, mean: Tensor, scale: Tensor, cell: int, device: torch.device) -> None:
        self.autoencoder = autoencoder.eval()
        self._mean = mean.float().view(1, -1, 1, 1, 1).to(device)
        self._scale = scale.float().view(1, -1, 1, 1, 1).to(device)
        self._cell = cell
        self._device = device
        self._linear_preview: LinearPreview | None = None

    @torch.inference_mode()
    def encode(self, frames: Frames) -> Tensor:
        """uint8 [T, H, W, 3] → latents [1, C, T', H', W'], the mode."""
        return self.encode_pixels(pixels_of(torch.from_numpy(frames).to(self._device)))

    @torch.inference_mode()
    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """The same of pixels −1 … 1 [1, 3, T, H, W]."""
        pixels = pixels.to(self._device, self.autoencoder.dtype)
        mode: Tensor = self.autoencoder.encode(pixels).latent_dist.mode()
        return (mode.float() - self._mean) * self._scale

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Frames:
        """Latents [1, C, T', H', W'] → all frames."""
        frames: Frames = decoded_bytes(self.autoencoder, self.denormalised(latents)).cpu().numpy()
        return frames

    @torch.inference_mode()
    def preview(self, latents: Tensor) -> Frames:
        """A cheap linear look at latents [1, C, T', H', W'] → uint8 [t, h, w, 3]."""
        if hasattr(self.autoencoder, "decode_linear"):
            pixels = self.autoencoder.decode_linear(self.denormalised(latents))
            return to_uint8(pixels[0].permute(1, 2, 3, 0))
        if self._linear_preview is None:
            self._linear_preview = fit_linear_preview(self.decode_pixels, latents.shape[1], self._device)
        return self._linear_preview(latents, latents.shape[-2] * self._cell, latents.shape[-1] * self._cell)

    def decode_pixels(self, latents: Tensor) -> Tensor:
        """Latents [1, C, T', H', W'] → pixels [1, 3, T, H, W]."""
        return decoded_pixels(self.autoencoder, self.denormalised(latents))

    def denormalised(self, latents: Tensor) -> Tensor:
        """Latents as the autoencoder itself knows them, in its dtype."""
        raw = latents.float().to(self._device) / self._scale + self._mean
        dtype: torch.dtype = self.autoencoder.dtype
        return raw.to(dtype)


def pixels_of(frames: Tensor) -> Tensor:
    """Bytes [T, H, W, 3] → pixels −1 … 1 [1, 3, T, H, W]."""
    return frames.permute(3, 0, 1, 2).unsqueeze(0).float() / 127.5 - 1


def decoded_bytes(autoencoder: Any, raw: Tensor) -> Tensor:
    """What the autoencoder makes of its own latents [1, C, T', H', W'], as bytes [T, H, W, 3] on its device.

    Where it works in tiles and gives them singly, each is rounded before the next is made.
    """
    if not (getattr(autoencoder, "use_tiling", False) and hasattr(autoencoder, "decode_tiles")):
        return as_bytes(decoded_pixels(autoencoder, raw))[0].permute(1, 2, 3, 0)
    space, time = autoencoder.spatial_compression_ratio, autoencoder.temporal_compression_ratio
    slots, rows, columns = raw.shape[2:]
    shape = ((slots - 1) * time + 1, rows * space, columns * space, 3)
    frames = torch.empty(shape, dtype=torch.uint8, device=raw.device)
    for place, pixels in autoencoder.decode_tiles(raw):
        frames[place] = as_bytes(pixels[0].permute(1, 2, 3, 0))
    return frames


def decoded_pixels(autoencoder: Any, raw: Tensor) -> Tensor:
    """Its own latents → pixels [1, 3, T, H, W] in −1 … 1."""
    # A decoder that was trained to finish the denoising is told that nothing is left to denoise.
    finishes = getattr(autoencoder.config, "timestep_conditioning", False)
    timestep = (torch.zeros(len(raw), device=raw.device, dtype=raw.dtype),) if finishes else ()
    pixels: Tensor = autoencoder.decode(raw, *timestep).sample
    return pixels
