"""The linear code against numpy's singular value decomposition. Shape legend: N blocks, V = 3072 values, C channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder, to_blocks
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.training.linear_code import (
    OBJECT_WEIGHT,
    BlockMoments,
    clip_to_tensor,
    draw_clip,
    fit,
    gather_moments,
    latent_scale,
    object_coverage,
)

CHANNELS = 6
SMALL = {(17, 32, 32): 0.5, (17, 32, 48): 0.5}
CLIPS, PICTURES, SEED = 4, 3, 7


@dataclass(frozen=True)
class Fitted:
    """The model under test and the blocks [N, V] and weights [N] that it was fitted to."""

    model: PatchVideoAutoencoder
    blocks: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]

    def error(self, mean: npt.NDArray[np.float64], directions: npt.NDArray[np.float64]) -> float:
        """Weighted squared error of projecting on orthonormal directions [C, V] around a mean [V]."""
        centred = self.blocks - mean
        rest = centred - centred @ directions.T @ directions
        return float((self.weights * (rest**2).sum(1)).sum() / self.weights.sum())


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    """Fitted to moments that were gathered in two parts, as the processes of a run do."""
    parts = [gather_moments(SEED, CLIPS, PICTURES, SMALL), gather_moments(SEED + 1, 1, 0, SMALL)]
    made: list[RenderedScene] = []
    for seed, clips, pictures in ((SEED, CLIPS, PICTURES), (SEED + 1, 1, 0)):
        random = np.random.default_rng(seed)
        made += [draw_clip(random, frames, SMALL) for frames in [17] * clips + [1] * pictures]
    blocks = torch.cat([to_blocks(clip_to_tensor(clip.frames)).flatten(0, 3) for clip in made]).double().numpy()
    coverage = torch.cat([object_coverage(clip).flatten() for clip in made]).double().numpy()
    return Fitted(fit(parts, CHANNELS), blocks, 1 + OBJECT_WEIGHT * coverage)


def numpy_pca(fitted: Fitted) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    mean = (fitted.weights[:, None] * fitted.blocks).sum(0) / fitted.weights.sum()
    weighted = np.sqrt(fitted.weights)[:, None] * (fitted.blocks - mean)
    return mean, np.linalg.svd(weighted, full_matrices=False)[2][:CHANNELS]


def test_the_code_is_the_weighted_pca(fitted: Fitted) -> None:
    mean, directions = numpy_pca(fitted)
    components = fitted.model.components.detach().double().numpy()
    assert np.allclose(fitted.model.pixel_mean.detach().numpy(), mean, atol=1e-4)
    assert np.allclose(components @ components.T, np.eye(CHANNELS), atol=1e-4)
    # The same subspace: every cosine between the two is 1.
    cosines = np.linalg.svd(components @ directions.T)[1]
    assert cosines.min() > 0.999
    assert fitted.error(mean, components) <= fitted.error(mean, directions) * 1.001


def test_no_other_projection_of_the_same_rank_is_better(fitted: Fitted) -> None:
    mean = fitted.model.pixel_mean.detach().double().numpy()
    own = fitted.error(mean, fitted.model.components.detach().double().numpy())
    random = np.random.default_rng(0)
    unweighted = np.linalg.svd(fitted.blocks - fitted.blocks.mean(0), full_matrices=False)[2][:CHANNELS]
    mixtures = [random.normal(size=(CHANNELS, len(fitted.blocks))) @ (fitted.blocks - mean) for _ in range(5)]
    others = [unweighted, *(np.linalg.qr(mixture.T)[0].T for mixture in mixtures)]
    assert all(own < fitted.error(mean, other) for other in others)


def test_the_first_channel_is_the_strongest(fitted: Fitted) -> None:
    components = fitted.model.components.detach().double().numpy()
    codes = (fitted.blocks - fitted.model.pixel_mean.detach().double().numpy()) @ components.T
    strength = (fitted.weights[:, None] * codes**2).sum(0)
    assert (np.diff(strength) < 0).all()


def test_moments_of_parts_add_up() -> None:
    blocks, weights = torch.randn(10, 8), torch.rand(10) + 0.5
    whole, parts = BlockMoments.empty(8), BlockMoments.empty(8)
    whole.add(blocks, weights)
    parts.add(blocks[:3], weights[:3])
    parts.add(blocks[3:], weights[3:])
    assert parts.weight == pytest.approx(whole.weight)
    assert torch.allclose(parts.first, whole.first, atol=1e-5)
    assert torch.allclose(whole.second, torch.einsum("n,nv,nw->vw", weights, blocks, blocks), atol=1e-5)
    assert torch.allclose(parts.second, whole.second, atol=1e-5)


def test_coverage_is_the_mask_averaged_over_blocks() -> None:
    clip = render_scene(SceneSpec(scene="room", actors=(Thing(noun="house", motion="slides right", seed=3),)))
    coverage = object_coverage(clip)
    assert coverage.shape == (5, 6, 6)
    mask = torch.from_numpy(clip.coverage[0])
    assert torch.allclose(coverage[0], mask[0].unflatten(0, (6, 16)).unflatten(2, (6, 16)).mean((1, 3)), atol=1e-5)
    last = mask[13:].unflatten(1, (6, 16)).unflatten(3, (6, 16)).mean((0, 2, 4))
    assert torch.allclose(coverage[4], last, atol=1e-5)


def test_pixels_run_from_minus_one_to_one() -> None:
    clip = render_scene(SceneSpec(scene="snow", actors=(Thing(noun="penguin"),)))
    pixels = clip_to_tensor(clip.frames)
    assert pixels.shape == (1, 3, 17, 96, 96)
    assert torch.equal(((pixels + 1) * 127.5).round().byte()[0].permute(1, 2, 3, 0), torch.from_numpy(clip.frames))


def test_the_scale_lies_between_whitening_and_none() -> None:
    deviation = torch.tensor([4.0, 1.0, 0.25])
    normalised = deviation / latent_scale(deviation)
    assert float(normalised.pow(2).mean()) == pytest.approx(1.0)
    # A channel with a quarter of the deviation keeps half of it: (σ / σ_0) ** 0.5.
    assert (normalised / normalised[0]).tolist() == pytest.approx([1.0, 0.5, 0.25])
