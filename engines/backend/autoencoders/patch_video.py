"""A causal video tokenizer whose linear path is the PCA of 16 × 16 × 4 blocks; a small network mends what it leaves.

Shape legend: B batch, T frames = 1 + 4k, H and W multiples of 16, S = 1 + k slots, h = H/16, w = W/16, C channels.
Pixels are −1 … 1, [B, 3, T, H, W]; latents are [B, C, S, h, w].

The first slot is frame 0 repeated four times, so that one code serves pictures and clips. The encoder is exactly
linear, so that latents never change while the decoder is trained.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as functional
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from torch import nn

SPACE = 16
TIME = 4
TILE, SLOTS = 12, 24  # cells and slots of a tile


@dataclass
class PointDistribution:
    """What `encode` returns: a distribution without spread, with diffusers' interface."""

    mean: torch.Tensor

    def mode(self) -> torch.Tensor:
        return self.mean

    def sample(self, generator: torch.Generator | None = None) -> torch.Tensor:
        return self.mean


@dataclass
class EncoderOutput(BaseOutput):
    latent_dist: PointDistribution


@dataclass
class DecoderOutput(BaseOutput):
    sample: torch.Tensor


def to_blocks(pixels: torch.Tensor) -> torch.Tensor:
    """[B, 3, T, H, W] → [B, S, h, w, 3·4·16·16], the first frame standing for a whole slot."""
    batch, channels, frames, height, width = pixels.shape
    if frames % TIME != 1 or height % SPACE or width % SPACE:
        raise ValueError(f"frames must be 4k + 1 and sides multiples of 16, not {frames} x {height} x {width}")
    padded = torch.cat([pixels[:, :, :1].expand(-1, -1, TIME - 1, -1, -1), pixels], dim=2)
    slots, rows, columns = padded.shape[2] // TIME, height // SPACE, width // SPACE
    split = padded.reshape(batch, channels, slots, TIME, rows, SPACE, columns, SPACE)
    return split.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(batch, slots, rows, columns, channels * TIME * SPACE * SPACE)


def to_slots(pixels: torch.Tensor) -> torch.Tensor:
    """[B, 3, 4·S, H, W] → [B, S, 12, H, W]."""
    return pixels.unflatten(2, (-1, TIME)).permute(0, 2, 1, 3, 4, 5).flatten(2, 3)


def from_slots(slots: torch.Tensor) -> torch.Tensor:
    """The inverse of `to_slots`."""
    return slots.unflatten(2, (3, TIME)).permute(0, 2, 1, 3, 4, 5).flatten(2, 3)


def from_blocks(blocks: torch.Tensor) -> torch.Tensor:
    """[B, S, h, w, 3·4·16·16] → [B, 3, 4·S, H, W]: all four frames of every slot."""
    batch, slots, rows, columns, _ = blocks.shape
    split = blocks.reshape(batch, slots, rows, columns, 3, TIME, SPACE, SPACE).permute(0, 4, 1, 5, 2, 6, 3, 7)
    return split.reshape(batch, 3, slots * TIME, rows * SPACE, columns * SPACE)


def _zero(layer: nn.Conv2d) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()


class CorrectionBlock(nn.Module):
    """Residual block: look back two slots at each place, mix 3 x 3 neighbours, mix channels. [B·S, W, y, x]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.back = nn.Parameter(torch.zeros(2, width, 1, 1))
        self.spread = nn.Conv2d(width, width, 3, padding=1)
        self.mix = nn.Conv2d(width, width, 1)
        _zero(self.mix)

    def forward(self, x: torch.Tensor, slots: int) -> torch.Tensor:
        timed = x.unflatten(0, (-1, slots))
        earlier = [functional.pad(timed, (0, 0, 0, 0, 0, 0, back, 0))[:, :slots] for back in (1, 2)]
        mixed = timed + self.back[0] * earlier[0] + self.back[1] * earlier[1]
        return x + self.mix(functional.gelu(self.spread(mixed.flatten(0, 1))))


class Correction(nn.Module):
    """What the linear decode misses, computed at a quarter of the resolution from the linear decode itself.

    Causal in time: slot k depends on slots k - 2·blocks … k, so a stream needs no future. Zero before training.
    """

    FOLD = 4

    @property
    def reach(self) -> tuple[int, int]:
        """How many slots back and how many pixels around it what is added depends on."""
        return 2 * len(self.blocks), self.FOLD * (len(self.blocks) + 2)

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        folded = 3 * TIME * self.FOLD**2
        self.enter = nn.Conv2d(folded, width, 3, padding=1)
        self.blocks = nn.ModuleList([CorrectionBlock(width) for _ in range(blocks)])
        self.leave = nn.Conv2d(width, folded, 3, padding=1)
        _zero(self.leave)

    def forward(self, slots: torch.Tensor) -> torch.Tensor:
        """Frames of each slot stacked as channels, [B, S, 12, H, W] → what to add, same shape."""
        count = slots.shape[1]
        x = functional.pixel_unshuffle(slots.flatten(0, 1), self.FOLD).contiguous(memory_format=torch.channels_last)
        x = self.enter(x)
        for block in self.blocks:
            x = block(x, count)
        return functional.pixel_shuffle(self.leave(x), self.FOLD).unflatten(0, (-1, count))


class PatchVideoAutoencoder(ModelMixin, ConfigMixin):
    """Linear encoder, linear decoder plus a convolutional correction that is zero before training.

    Args:
        latent_channels: C.
        scaling_factor: Multiplies normalised latents, as in AutoencoderKLLTXVideo.
        correction_width: Channels of the correction network; 0 leaves it out.
        correction_blocks: Residual blocks of the correction network at a quarter of the resolution.
    """

    _supports_gradient_checkpointing = False

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 64,
        scaling_factor: float = 1.0,
        correction_width: int = 0,
        correction_blocks: int = 4,
        spatial_compression_ratio: int = SPACE,
        temporal_compression_ratio: int = TIME,
    ) -> None:
        super().__init__()
        block_values = 3 * TIME * SPACE * SPACE
        # Statistics over the training clips, which the family normalises with; buffers as in AutoencoderKLLTXVideo.
        self.pixel_mean = nn.Parameter(torch.zeros(block_values), requires_grad=False)
        self.components = nn.Parameter(torch.zeros(latent_channels, block_values), requires_grad=False)
        self.register_buffer("latents_mean", torch.zeros(latent_channels))
        self.register_buffer("latents_std", torch.ones(latent_channels))
        self.correction = Correction(correction_width, correction_blocks) if correction_width else None
        self.spatial_compression_ratio = spatial_compression_ratio
        self.temporal_compression_ratio = temporal_compression_ratio
        self.use_slicing = False
        self.use_tiling = False

    def encode(self, pixels: torch.Tensor, return_dict: bool = True) -> EncoderOutput:
        """[B, 3, T, H, W] → latents [B, C, S, h, w] as `.latent_dist.mode()` (or `[0].mode()`).

        Raises: ValueError for shapes that blocks cannot tile.
        """
        code = (to_blocks(pixels) - self.pixel_mean) @ self.components.T
        return EncoderOutput(latent_dist=PointDistribution(code.permute(0, 4, 1, 2, 3)))

    def decode_linear(self, latents: torch.Tensor) -> torch.Tensor:
        """The linear path alone: cheap enough for previews. [B, C, S, h, w] → [B, 3, T, H, W]."""
        return self._linear_slots(latents)[:, :, TIME - 1 :]

    def _linear_slots(self, latents: torch.Tensor) -> torch.Tensor:
        return from_blocks(latents.permute(0, 2, 3, 4, 1) @ self.components + self.pixel_mean)

    def decode(self, latents: torch.Tensor, timestep: None = None, return_dict: bool = True) -> DecoderOutput:
        """[B, C, S, h, w] → pixels [B, 3, T, H, W] as `.sample` (or `[0]`), not clamped."""
        if not self.use_tiling:
            return DecoderOutput(sample=self._decode_slots(latents)[:, :, TIME - 1 :])
        slots, rows, columns = latents.shape[2:]
        whole = latents.new_empty(len(latents), 3, (slots - 1) * TIME + 1, rows * SPACE, columns * SPACE)
        for place, pixels in self.decode_tiles(latents):
            whole[:, :, *place] = pixels
        return DecoderOutput(sample=whole)

    def enable_tiling(self) -> None:
        """From now on decodes in tiles of TILE cells and SLOTS slots. The result is the same: each tile brings as much
        around it as the correction looks at."""
        self.use_tiling = True

    def disable_tiling(self) -> None:
        self.use_tiling = False

    def _decode_slots(self, latents: torch.Tensor) -> torch.Tensor:
        """All four frames of every slot, [B, C, S, h, w] → [B, 3, 4·S, H, W]."""
        pixels = self._linear_slots(latents)
        if self.correction is not None:
            pixels = pixels + from_slots(self.correction(to_slots(pixels)))
        return pixels

    def decode_tiles(self, latents: torch.Tensor) -> Iterator[tuple[tuple[slice, slice, slice], torch.Tensor]]:
        """Piece by piece: (frames, rows, columns) of the video, and their pixels [B, 3, t, y, x].

        Together they are what `decode` gives at once; whoever writes them down elsewhere never holds the whole.
        """
        slots, rows, columns = latents.shape[2:]
        back, around = self.correction.reach if self.correction is not None else (0, 0)
        around = -(-around // SPACE)
        for (s, s_from, s_to), (r, r_from, r_to), (c, c_from, c_to) in product(
            _tiles(slots, SLOTS, back, 0), _tiles(rows, TILE, around, around), _tiles(columns, TILE, around, around)
        ):
            made = self._decode_slots(latents[:, :, s, r, c])
            # The first slot is one frame: its first three stand before the video begins.
            first = (s.start + s_from) * TIME - (TIME - 1)
            inner = made[
                :, :, s_from * TIME + max(0, -first) : s_to * TIME, r_from * SPACE : r_to * SPACE,
                c_from * SPACE : c_to * SPACE,
            ]  # fmt: skip
            starts = (max(0, first), (r.start + r_from) * SPACE, (c.start + c_from) * SPACE)
            frame, down, right = (slice(a, a + n) for a, n in zip(starts, inner.shape[2:], strict=True))
            yield (frame, down, right), inner


def _tiles(length: int, size: int, before: int, after: int) -> list[tuple[slice, int, int]]:
    """Runs of at most `size` that cover 0 … length − 1, each with what lies before and after it: (all of it, where the
    run begins and ends in that)."""
    found = []
    for start in range(0, length, size):
        end = min(start + size, length)
        first, last = max(0, start - before), min(length, end + after)
        found.append((slice(first, last), start - first, end - first))
    return found
