"""Noise levels of checkpoints that were trained with betas, in the flow convention.

A model that sees z = a·x₀ + b·ε with a² + b² = 1 sees x_σ = (1 − σ)·x₀ + σ·ε at σ = b / (a + b), up to the factor
s = a + b = 1 / √((1 − σ)² + σ²): z = s·x_σ. From its v-prediction v = a·ε − b·x₀ follow x₀ = a·z − b·v and
ε = b·z + a·v. With that its DDIM step (η = 0) is Euler's step in σ (Song et al. 2021, arXiv:2010.02502, eq. 14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_BETAS = {"beta_start": 0.00085, "beta_end": 0.0120}


@dataclass(frozen=True)
class AlphaLevels:
    """σ of every training timestep.

    Attributes:
        sigmas: float64 [timesteps], rising.
    """

    sigmas: Tensor

    @staticmethod
    def of(config: Mapping[str, Any]) -> AlphaLevels:
        """From the scheduler_config.json of CogVideoX's schedulers (scaled-linear betas, SNR shift, zero terminal SNR).

        Raises: ValueError if the config asks for something that this does not follow.
        """
        if config.get("beta_schedule", "scaled_linear") != "scaled_linear" or config.get("trained_betas"):
            raise ValueError(f"betas {config.get('beta_schedule')!r} are not followed, only scaled_linear")
        count = int(config.get("num_train_timesteps", 1000))
        first, last = (float(config.get(name, usual)) ** 0.5 for name, usual in _BETAS.items())
        kept = torch.cumprod(1 - torch.linspace(first, last, count, dtype=torch.float64) ** 2, dim=0)
        shift = float(config.get("snr_shift_scale", 3.0))
        kept = kept / (shift + (1 - shift) * kept)
        if config.get("rescale_betas_zero_snr"):
            kept = _zero_terminal(kept)
        a, b = kept.sqrt(), (1 - kept).sqrt()
        return AlphaLevels(b / (a + b))

    def timestep(self, sigma: Tensor) -> Tensor:
        """The (fractional) training timestep of a level; exact at the levels that were trained. Any shape."""
        level = sigma.double().clamp(float(self.sigmas[0]), float(self.sigmas[-1]))
        above = torch.searchsorted(self.sigmas, level.contiguous()).clamp(1, len(self.sigmas) - 1)
        low, high = self.sigmas[above - 1], self.sigmas[above]
        return ((above - 1) + (level - low) / (high - low)).float()

    def trailing(self, steps: int, spacing: str) -> Tensor:
        """Levels of a run, float64 [steps + 1], ending at 0. Raises ValueError for a spacing that is not followed."""
        count = len(self.sigmas)
        if spacing == "trailing":
            stops = torch.arange(count, 0, -count / steps, dtype=torch.float64).round().long()[:steps] - 1
        elif spacing == "linspace":
            stops = torch.linspace(count - 1, 0, steps, dtype=torch.float64).round().long()
        else:
            raise ValueError(f"timestep_spacing {spacing!r} is not followed")
        return torch.cat([self.sigmas[stops], torch.zeros(1, dtype=torch.float64)])


def _zero_terminal(kept: Tensor) -> Tensor:
    """Lin et al. 2023, arXiv:2305.08891, algorithm 1: the last timestep is pure noise."""
    root = kept.sqrt()
    return ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2


def as_velocity(x: Tensor, sigma: Tensor, predict: Any) -> Tensor:
    """A v-prediction as the flow's velocity ε − x₀.

    Args:
        x: x_σ [B, …]; sigma: broadcastable to it.
        predict: z → v-prediction.
    """
    scale = ((1 - sigma) ** 2 + sigma**2).rsqrt()
    a, b = (1 - sigma) * scale, sigma * scale
    z = scale * x
    v = predict(z)
    return (b * z + a * v) - (a * z - b * v)
