"""The small network that turns what a model sees of a clip, and a phrase, into masks.

Shape legend: B clips, S slots of h × w cells, N = S·h·w tokens, C latent channels, F features, L words, E width of the
text encoder, D width of the head; T = time·(S − 1) + 1 frames; a mask has DETAIL × DETAIL values for a cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

DETAIL = 8


@dataclass(frozen=True)
class Found:
    """Logits.

    Attributes:
        masks: [B, T, DETAIL·h, DETAIL·w], of what the phrase means.
        present: [B], that it is in the clip at all.
    """

    masks: Tensor
    present: Tensor


class WordMaskHead(ModelMixin, ConfigMixin):
    """Tokens look at each other and at the phrase's words; each then says which of its pixels are meant.

    Args:
        channels: C.
        blocks: Which blocks of the model are read; without any the head sees latents alone (the baseline of row 4, as
            large).
        feature_width: F of all blocks together.
        text_width: E.
        width, layers, heads: Of the mixing.
        time: Frames of a slot.
    """

    @register_to_config
    def __init__(
        self,
        channels: int = 128,
        blocks: Sequence[int] = (4, 6, 8),
        feature_width: int = 864,
        text_width: int = 384,
        width: int = 160,
        layers: int = 3,
        heads: int = 4,
        time: int = 4,
    ) -> None:
        super().__init__()
        self.blocks = tuple(blocks)
        self.of_latents = nn.Linear(channels, width)
        self.normalised = nn.LayerNorm(feature_width)
        self.of_features = nn.Linear(feature_width, width)
        self.of_text = nn.Linear(text_width, width)
        layer = nn.TransformerDecoderLayer(
            width, heads, 3 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.mixing = nn.TransformerDecoder(layer, layers, norm=nn.LayerNorm(width))
        self.pixels = nn.Linear(width, time * DETAIL**2)
        self.presence = nn.Linear(2 * width, 1)

    def forward(
        self, latents: Tensor, features: Tensor | None, grid: tuple[int, int, int], text: Tensor, text_mask: Tensor
    ) -> Found:
        """latents [B, N, C]; features [B, N, F], None for a head that reads none; text [B, L, E], text_mask [B, L]."""
        tokens = self.of_latents(latents) + places(grid, self.config["width"]).to(latents)
        if features is None:
            features = latents.new_zeros(*latents.shape[:2], self.config["feature_width"])
        tokens = tokens + self.of_features(self.normalised(features))
        mixed = self.mixing(tokens, self.of_text(text), memory_key_padding_mask=text_mask < 0.5)
        pooled = torch.cat([mixed.mean(1), mixed.amax(1)], dim=1)
        return Found(_unfolded(self.pixels(mixed), grid, self.config["time"]), self.presence(pooled)[:, 0])


def places(grid: tuple[int, int, int], width: int) -> Tensor:
    """Sines of slot, row and column, each a part of the width, [N, width]: any size has them."""
    part = width // 8 * 2
    parts = (width - 2 * part, part, part)
    axes = torch.meshgrid(*(torch.arange(size, dtype=torch.float32) for size in grid), indexing="ij")
    return torch.cat([_sines(axis.flatten(), size) for axis, size in zip(axes, parts, strict=True)], dim=1)


def _sines(at: Tensor, width: int) -> Tensor:
    rates = torch.exp(torch.arange(width // 2) * (-math.log(100.0) / (width // 2)))
    angles = at[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _unfolded(pixels: Tensor, grid: tuple[int, int, int], time: int) -> Tensor:
    """[B, N, time·DETAIL²] → [B, T, DETAIL·h, DETAIL·w]: of the first slot only the last frame is one."""
    slots, rows, columns = grid
    split = pixels.view(-1, slots, rows, columns, time, DETAIL, DETAIL)
    frames = split.permute(0, 1, 4, 2, 5, 3, 6).reshape(-1, slots * time, rows * DETAIL, columns * DETAIL)
    return frames[:, time - 1 :]
