"""Noisy training batches for rectified flow: x_σ = (1 − σ)·x₀ + σ·ε, target v = ε − x₀, σ per latent frame.

Shape legend: B batch, S latent frames (slots), P tokens of a slot, N = S·P, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class NoiseMix:
    """How often which pattern of noise levels is drawn (paper row 21, FVDM; TRAINING.md's list).

    Attributes:
        first_frame_clean: Share of clip batches whose first slot is given (σ = 0): image animation.
        per_frame: Share of clip batches with one σ drawn for each slot: everything that fills in or rolls.
        text_dropout: Share of samples whose prompt is replaced by the empty one: classifier-free guidance.
        logit_mean: Mean of the logit-normal noise level. Above 0, because coarse channels have up to ten times the mean
            variance: layout and motion are decided at σ around 0.75 and were hardly learnt at 0.
        object_weight: A token full of object counts 1 + this·(1 − σ)²; only where the object's place is certain,
            for elsewhere the weighted mean would paint objects everywhere.
    """

    first_frame_clean: float = 0.2
    per_frame: float = 0.1
    text_dropout: float = 0.1
    logit_mean: float = 1.0
    object_weight: float = 3.0


def draw_sigmas(batch: int, slots: int, mix: NoiseMix, generator: torch.Generator) -> torch.Tensor:
    """Logit-normal noise levels, [B, 1] where one serves all tokens, else [B, S]. The pattern is one per batch."""
    pattern = float(torch.rand((), generator=generator))
    if slots == 1 or pattern >= mix.first_frame_clean + mix.per_frame:
        return (torch.randn(batch, 1, generator=generator) + mix.logit_mean).sigmoid()
    if pattern < mix.per_frame:
        return (torch.randn(batch, slots, generator=generator) + mix.logit_mean).sigmoid()
    sigmas = (torch.randn(batch, 1, generator=generator) + mix.logit_mean).sigmoid().repeat(1, slots)
    sigmas[:, 0] = 0.0
    return sigmas


def add_noise(
    clean: torch.Tensor, sigmas: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noisy tokens, target velocity and σ of each token, for clean tokens [B, N, C] and sigmas [B, 1 or S]."""
    noise = torch.randn(clean.shape, generator=generator)
    per_token = sigmas.repeat_interleave(clean.shape[1] // sigmas.shape[1], dim=1)[..., None]
    return (1 - per_token) * clean + per_token * noise, noise - clean, per_token


def flow_loss(
    predicted: torch.Tensor, target: torch.Tensor, per_token: torch.Tensor, coverage: torch.Tensor, mix: NoiseMix
) -> torch.Tensor:
    """Mean squared error of the velocity over noisy tokens, weighted towards the object where its place is certain."""
    weight = 1 + mix.object_weight * coverage[..., None] * (1 - per_token) ** 2
    weight = weight * (per_token > 0)
    error = (predicted.float() - target) ** 2
    return (error * weight).sum() / (weight.sum() * error.shape[-1])
