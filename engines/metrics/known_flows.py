"""Data whose velocity and flow are known exactly, to measure solvers on: one Gaussian, and two of them.

Shapes: x, v float32 [B, N, D]; sigmas float32 [B, N].
"""

from __future__ import annotations

import torch
from torch import Tensor

from engines.sampling.site import Site

MEAN, SPREAD = 0.7, 0.4
MEANS = torch.tensor([-1.0, 1.5])


def variance(sigma: Tensor) -> Tensor:
    return (1 - sigma) ** 2 * SPREAD**2 + sigma**2


def gaussian_velocity(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
    """E[ε − x₀ | x_σ] for x₀ ~ N(MEAN, SPREAD²)."""
    sigma = sigmas.unsqueeze(-1)
    centred = (x - (1 - sigma) * MEAN) / variance(sigma)
    return sigma * centred - (MEAN + (1 - sigma) * SPREAD**2 * centred)


def to_noise(clean: Tensor) -> Tensor:
    """Where the flow carries x₀ to at σ = 1."""
    return (clean - MEAN) / SPREAD


def two_gaussians(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
    """The same for an even mixture of two; σ > 0."""
    sigma = sigmas.unsqueeze(-1)
    spread = variance(sigma)
    residual = x.unsqueeze(-1) - (1 - sigma.unsqueeze(-1)) * MEANS
    weights = torch.softmax(-(residual**2) / (2 * spread.unsqueeze(-1)), dim=-1)
    clean = (weights * (MEANS + (1 - sigma.unsqueeze(-1)) * SPREAD**2 * residual / spread.unsqueeze(-1))).sum(-1)
    return (x - clean) / sigma
