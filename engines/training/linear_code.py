"""Fits the tokenizer's linear code: a PCA of 16 × 16 × 4 blocks, weighted towards the objects.

Shape legend: N blocks, V = 3072 values of a block, C channels; S slots of h × w blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder, to_blocks
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.random_scene import random_scene

Shape: TypeAlias = tuple[int, int, int]
OBJECT_WEIGHT = 4.0  # a block full of objects counts 1 + this; backgrounds would otherwise take most channels
# (T, H, W) of the clips that the code is fitted to, and how often.
SHAPES: dict[Shape, float] = {(17, 96, 96): 0.7, (17, 128, 64): 0.15, (17, 64, 128): 0.15}


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


def clip_to_tensor(frames: npt.NDArray[np.uint8]) -> torch.Tensor:
    """Frames [T, H, W, 3] as float32 [1, 3, T, H, W] in −1 … 1."""
    return torch.from_numpy(frames).permute(3, 0, 1, 2)[None].float() / 127.5 - 1


def object_coverage(scene: RenderedScene) -> torch.Tensor:
    """Share of each block that objects cover, [S, h, w] in 0 … 1."""
    covered = torch.from_numpy(scene.coverage.sum(0).clip(0, 1))[None, None].expand(1, 3, -1, -1, -1)
    return to_blocks(covered)[0].mean(-1)


def draw_clip(
    random: np.random.Generator, frames: int | None = None, shapes: Mapping[Shape, float] = SHAPES
) -> RenderedScene:
    """A random training clip of one of the shapes, or of so many frames in one of their sizes."""
    count, height, width = list(shapes)[int(random.choice(len(shapes), p=list(shapes.values())))]
    return render_scene(random_scene(random, frames=frames or count, height=height, width=width))


def gather_moments(seed: int, clips: int, pictures: int, shapes: Mapping[Shape, float] = SHAPES) -> BlockMoments:
    """Moments over random training clips and single pictures."""
    random = np.random.default_rng(seed)
    moments = BlockMoments.empty()
    for frames, count in ((None, clips), (1, pictures)):
        for start in range(0, count, 25):
            made = [draw_clip(random, frames, shapes) for _ in range(min(25, count - start))]
            blocks = torch.cat([to_blocks(clip_to_tensor(clip.frames)).flatten(0, 3) for clip in made])
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
        model.encode(clip_to_tensor(draw_clip(random).frames)).latent_dist.mode()[0].flatten(1) for _ in range(clips)
    ]
    values = torch.cat(codes, dim=1)
    model.latents_mean.copy_(values.mean(1))
    model.latents_std.copy_(latent_scale(values.std(1)))
