"""Lets a model that takes one noise level per sample work where levels differ between tokens.

Shapes: x, noise, v [B, M, D]; sigmas [B, M].
"""

from __future__ import annotations

from torch import Tensor, where

from engines.sampling.loop import Velocity
from engines.sampling.site import Site


def at_one_level(velocity: Velocity, noise: Tensor) -> Velocity:
    """Every token is shown at the highest level of its sample: what stands lower gets the noise that it lacks.

    From x_σ = (1 − σ)·x₀ + σ·ε, the level τ > σ is reached by r·x_σ + √(τ² − (r·σ)²)·n with r = (1 − τ)/(1 − σ) and
    fresh noise n. What is given (σ = 0) so becomes (1 − τ)·x₀ + τ·n: replacement (Lugmayr et al. 2022,
    arXiv:2201.09865, eq. 8, without its resampling). A makeshift: the model is not told which tokens are certain.

    Args:
        velocity: Of a model that takes one level per sample.
        noise: n, the same at every step, so that what is given moves along a straight path.
    """

    def ask(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        top = sigmas.amax(1, keepdim=True)
        lower = sigmas < top
        kept = where(lower, (1 - top) / (1 - where(lower, sigmas, sigmas.new_zeros(()))), sigmas.new_ones(()))
        added = where(lower, (top**2 - (kept * sigmas) ** 2).clamp(min=0).sqrt(), sigmas.new_zeros(()))
        shown = kept.unsqueeze(-1) * x + added.unsqueeze(-1) * noise.to(x)
        return velocity(shown, top.expand_as(sigmas), at)

    return ask
