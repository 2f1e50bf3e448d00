"""Fits the tokenizer's linear code: a PCA of 16 × 16 × 4 blocks, weighted towards the objects.

Shape legend: N blocks, V = 3072 values of a block, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder, to_blocks
from engines.diorama.clip_spec import random_spec
from engines.diorama.render import DioramaClip, render

OBJECT_WEIGHT = 4.0  # a block full of object counts 1 + this; backgrounds would otherwise take most channels


@dataclass
class BlockMoments:
    """Running weighted sums over blocks: enough for the PCA, whatever the number of clips."""

    weight: float
    first: torch.Tensor
    second: torch.Tensor

    @staticmethod
    def empty(values: int = 3072) -> BlockMoments:
        return BlockMoments(0.0, torch.zeros(values, dtype=torch.float64), torch.zeros(values, values))

    def add(self, blocks: torch.Tensor, weights: torch.Tensor) -> None:
        """blocks [N, V], weights [N]."""
        weighted = blocks * weights[:, None]
        self.second += weighted.T @ blocks
        self.first += weighted.sum(0).double()
        self.weight += float(weights.sum())


def clip_to_tensor(clip: DioramaClip) -> torch.Tensor:
    """Frames as float32 [1, 3, T, H, W] in −1 … 1."""
    return torch.from_numpy(clip.frames).permute(3, 0, 1, 2)[None].float() / 127.5 - 1


def object_coverage(clip: DioramaClip) -> torch.Tensor:
    """Share of each block that the object covers, [S, h, w] in 0 … 1."""
    mask = torch.from_numpy(clip.truth.mask)[None, None].expand(1, 3, -1, -1, -1)
    return to_blocks(mask)[0].mean(-1)


def gather_moments(seed: int, clips: int, pictures: int, size: int = 96) -> BlockMoments:
    """Moments over random training clips of 17 frames and single pictures."""
    random = np.random.default_rng(seed)
    moments = BlockMoments.empty()
    for frames, count in ((17, clips), (1, pictures)):
        for start in range(0, count, 50):
            made = [
                render(random_spec(random, frames=frames, size=size), with_flow=False)
                for _ in range(min(50, count - start))
            ]
            blocks = torch.cat([to_blocks(clip_to_tensor(clip)).flatten(0, 3) for clip in made])
            weights = torch.cat([1 + OBJECT_WEIGHT * object_coverage(clip).flatten() for clip in made])
            moments.add(blocks, weights)
    return moments


def fit(moments: list[BlockMoments], channels: int) -> PatchVideoAutoencoder:
    """The autoencoder whose components are the leading directions. Latent statistics are set later, from the cache."""
    weight = sum(part.weight for part in moments)
    mean = sum((part.first for part in moments), torch.zeros(1, dtype=torch.float64)) / weight
    second = sum((part.second.double() for part in moments), torch.zeros(1, dtype=torch.float64)) / weight
    _, directions = torch.linalg.eigh(second - torch.outer(mean, mean))
    model = PatchVideoAutoencoder(latent_channels=channels)
    with torch.no_grad():
        model.pixel_mean.copy_(mean.float())
        model.components.copy_(directions.flip(1)[:, :channels].T.float())
    return model


def latent_scale(deviation: torch.Tensor) -> torch.Tensor:
    """What to divide each channel by: (σ_c·σ_0)^½ with one factor for unit mean variance.

    Full whitening would give noise-like channels the weight of the picture's structure; none at all would drown
    detail. The square root between them is what learnt nouns fastest in the trials of TRAINING.md. [C] → [C].
    """
    scaled = (deviation / deviation.max()) ** 0.5
    return deviation / scaled * scaled.pow(2).mean().sqrt()


@torch.no_grad()
def measure_statistics(model: PatchVideoAutoencoder, seed: int, clips: int) -> None:
    """Sets the model's latents_mean and latents_std from random training clips."""
    random = np.random.default_rng(seed)
    codes = [
        model.encode(clip_to_tensor(render(random_spec(random), with_flow=False))).latent_dist.mode()
        for _ in range(clips)
    ]
    values = torch.cat(codes).transpose(0, 1).flatten(1)
    model.latents_mean.copy_(values.mean(1))
    model.latents_std.copy_(latent_scale(values.std(1)))
