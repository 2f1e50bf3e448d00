"""What keeps an animated picture alive: velocities and starts for clips whose first frame is given.

Shape legend: B = 1; M tokens, those beside the grid included; D channels; F slots. σ per token; what is given has 0.
x_σ = (1 − σ)·x₀ + σ·ε, v = ε − x₀.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from engines.sampling.loop import Velocity
from engines.sampling.site import Site

RENORMALISED = 0.7  # share by which a guided velocity is drawn to the length of the unguided one
GUARD = 0.02  # σ below which the residual's share would divide by nothing
ANCHOR = 0.6  # the most that TRIP's shortcut may say; above it clips stand still
LEAST_START = 0.9  # σ that analytic starts may go down to; at 0.8 pictures are washed out
CONDITION_NOISE, CONDITION_POWER = 0.5, 5  # κ and a of κ·σᵃ


def jointly_guided(of_both: Velocity, of_nothing: Velocity, scale: float) -> Velocity:
    """STIV's joint image-text guidance (Lin et al. 2024, arXiv:2412.07730): v₀ + s·(v(text, image) − v₀).

    With the length of each token's answer drawn back to that of v(text, image), as their renormalisation does.

    Args:
        of_both: The model with the prompt, shown the picture.
        of_nothing: The model with the empty prompt, not shown the picture (see unseen).
    """

    def guided(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        both, nothing = of_both(x, sigmas, at), of_nothing(x, sigmas, at)
        made = nothing + scale * (both - nothing)
        length = both.norm(dim=-1, keepdim=True) / made.norm(dim=-1, keepdim=True).clamp_min(1e-6)
        return torch.lerp(made, made * length, RENORMALISED)

    return guided


def unseen(velocity: Velocity, given: Tensor, noise: Tensor) -> Velocity:
    """The model is not shown what is given: it stands at the level of the rest, noised.

    Args:
        given: bool [M]. noise: [1, M, D].
    """

    return _given_at(velocity, given, noise, lambda level: level)


def noisily_given(velocity: Velocity, given: Tensor, noise: Tensor, share: float) -> Velocity:
    """What is given is shown with noise of share·κ·σᵃ, and the model is told: at high levels it cannot be copied.

    Zhao et al. 2024, arXiv:2406.15735 (conditional image leakage), section 4.2 (TimeNoise) at inference.
    """

    return _given_at(velocity, given, noise, lambda level: share * CONDITION_NOISE * level**CONDITION_POWER)


def _given_at(velocity: Velocity, given: Tensor, noise: Tensor, level_of: Callable[[Tensor], Tensor]) -> Velocity:
    """What is given, clean in the state, is shown noised; how much follows from the level of the rest, [B, 1]."""

    def asked(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        level = level_of(sigmas.amax(1, keepdim=True))
        shown = (1 - level[..., None]) * x + level[..., None] * noise.to(x)
        return velocity(torch.where(given[:, None], shown, x), torch.where(given, level, sigmas), at)

    return asked


def anchored(velocity: Velocity, still: Tensor, slots: int, share: float) -> Velocity:
    """TRIP's image noise prior (Zhang et al. 2024, arXiv:2403.17005, equations 6 … 8) in terms of x₀.

    The clean estimate is drawn to the clip that stands still, by λ_i(σ) = λ₀·(1 − i/F)·4σ(1 − σ): less with every slot,
    not at all at either end of the way, where details and leaks are.

    Args:
        still: Tokens of the picture standing still, [1, N, D], N = F·cells of the grid.
        share: 0 … 1 of the most that is allowed.
    """
    cells = still.shape[1] // slots
    falling = (1 - torch.arange(slots, dtype=torch.float32) / slots).repeat_interleave(cells)

    def drawn(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        own = velocity(x, sigmas, at)
        grid, level = slice(0, still.shape[1]), sigmas[:, : still.shape[1], None]
        clean = x[:, grid] - level * own[:, grid]
        weight = share * ANCHOR * falling.to(x)[None, :, None] * 4 * level * (1 - level)
        change = torch.where(level > GUARD, weight * (clean - still.to(x)) / level.clamp_min(GUARD), 0.0)
        return torch.cat([own[:, grid] + change, own[:, still.shape[1] :]], dim=1)

    return drawn


def start_level(movement: float) -> float:
    """The σ at which the rest of the clip begins: below 1 the picture says less of where all goes (Analytic-Init)."""
    return 1 - (1 - LEAST_START) * max(0.0, movement)


def analytic_start(noise: Tensor, level: float) -> Tensor:
    """The Gaussian that is closest to noised clips at a level below 1 (the same, section 4.1).

    For latents of mean 0 and spread 1, as families normalise them: x_M = √((1 − M)² + M²)·ε.

    Raises: ValueError for a level that washes pictures out.
    """
    if not LEAST_START - 1e-6 <= level <= 1:
        raise ValueError(f"level = {level:g}: {LEAST_START:g} … 1 is allowed")
    return noise * math.sqrt((1 - level) ** 2 + level**2)
