"""One clip, one solver, so many model calls each way: how near it comes to itself, and what its noise is worth.

Shape legend: tokens float32 [1, N, D]; schedules float32 [steps + 1, N].
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from engines.backend.families.base import Family, PromptEmbedding
from engines.backend.families.guided import guided_velocity
from engines.backend.geometry import LatentGeometry
from engines.inversion.invert import invert, noise_statistics, with_first_level
from engines.inversion.solvers import InversionSolver
from engines.inversion.velocities import towards_noise, towards_source
from engines.metrics.memory import LiveStorage
from engines.metrics.psnr import latent_psnr
from engines.sampling.guidance import Unguided
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import linear, uniform
from engines.sampling.solvers import Euler

# Down from σ = 1 in equal steps: what differs between the arms is the solver alone.
FIRST_LEVEL = 0.1


@dataclass(frozen=True)
class Clip:
    """What is inverted. seed: of the noise that it is begun with."""

    family: Family
    geometry: LatentGeometry
    clean: Tensor
    prompt: PromptEmbedding
    seed: int


@dataclass(frozen=True)
class There:
    """An inversion and the way back. evaluations: of the way up."""

    top: Tensor
    back: Tensor
    evaluations: int
    seconds: float


def schedule(steps: int, tokens: int, first_level: float) -> Tensor:
    """Of one way; with a first level the steps lie between it and 1, and one more leads to 0."""
    if not first_level:
        return uniform(linear(steps), tokens)
    levels = first_level + (1 - first_level) * linear(steps)
    return with_first_level(uniform(torch.cat([levels, torch.zeros(1)]), tokens), first_level)


@cache
def steps_within(solver: InversionSolver, evaluations: int) -> int:
    """The most steps whose way up asks the model at most so often."""

    def still(x: Tensor, sigmas: Tensor, at: Any) -> Tensor:
        return torch.zeros_like(x)

    def asked(steps: int) -> int:
        return invert(still, torch.ones(1, 1, 1), uniform(linear(steps), 1), solver).evaluations

    able = [steps for steps in range(1, evaluations + 1) if asked(steps) <= evaluations]
    return max(able)


def there_and_back(clip: Clip, solver: InversionSolver, evaluations: int, first_level: float) -> There:
    """Both ways under the clip's own words and without guidance."""
    velocity = guided_velocity(clip.family, clip.geometry, Unguided(clip.prompt))
    sigmas = schedule(steps_within(solver, evaluations), clip.geometry.tokens, first_level)
    noise = gaussian_noise(clip.clean.shape, clip.seed) if first_level else None
    began = time.perf_counter()
    made = invert(velocity, clip.clean, sigmas, solver, noise)
    seconds = time.perf_counter() - began
    back = sample(velocity, made.top, made.sigmas, made.back)
    return There(made.top, back, made.evaluations, seconds)


def peak_bytes(clip: Clip, solver: InversionSolver) -> int:
    """Of tensors while a few steps are inverted, the model's own weights left out."""
    velocity = guided_velocity(clip.family, clip.geometry, Unguided(clip.prompt))
    with LiveStorage() as count:
        invert(velocity, clip.clean, schedule(3, clip.geometry.tokens, 0.0), solver)
    weights = sum(one.numel() * one.element_size() for one in clip.family.transformer.parameters())
    return max(0, count.peak_bytes - weights)


def rf_inversion_noise(clip: Clip, evaluations: int) -> Tensor:
    """Where RF-Inversion's way up ends; its way back is drawn to the source, which is no round trip."""
    velocity = guided_velocity(clip.family, clip.geometry, Unguided(clip.prompt))
    noise = gaussian_noise(clip.clean.shape, clip.seed)
    sigmas = schedule(evaluations, clip.geometry.tokens, 0.0)
    return invert(towards_noise(velocity, noise, 0.5), clip.clean, sigmas, "euler").top


def rf_inversion_back(clip: Clip, top: Tensor, evaluations: int) -> Tensor:
    """With the source's help for the first quarter of the steps."""
    velocity = guided_velocity(clip.family, clip.geometry, Unguided(clip.prompt))
    sigmas = schedule(evaluations, clip.geometry.tokens, 0.0)
    return sample(towards_source(velocity, clip.clean, 1.0, 0.0, 0.25, evaluations), top, sigmas, Euler())


def numbers_of(clip: Clip, top: Tensor, back: Tensor) -> dict[str, float]:
    """Of a row: the round trip's error, and the noise's statistics."""
    found = noise_statistics(top, clip.geometry.grid)
    return {
        "rmse": float((back.float() - clip.clean).square().mean().sqrt()),
        "latent_psnr": latent_psnr(back, clip.clean),
        "noise_mean": found.mean,
        "noise_std": found.std,
        "noise_kurtosis": found.excess_kurtosis,
        "noise_correlation": found.neighbour_correlation,
    }
