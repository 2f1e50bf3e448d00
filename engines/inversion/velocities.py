"""Velocities that steer or replace an inversion; each is given to the one sampling loop like the model's own.

Shapes: x, v float32 [B, N, D]; sigmas float32 [B, N]. x_σ = (1 − σ)·x₀ + σ·ε, v = ε − x₀.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engines.sampling.loop import NoiseSource, Velocity
from engines.sampling.site import Site

NEAR_END = 1e-3  # from here on a controller would divide by nothing


def from_first_level(velocity: Velocity, first: Tensor) -> Velocity:
    """Never asks at σ = 0, where models that take clean tokens learnt no velocity: at the first level above instead.

    Args:
        first: [N], the schedule's first level that is not 0; 0 for tokens that stand still.
    """

    def asked(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        raised = torch.where(sigmas == 0, first.to(sigmas), sigmas)
        return velocity(x, raised, at)

    return asked


def towards_noise(velocity: Velocity, noise: Tensor, gamma: float) -> Velocity:
    """RF-Inversion's way up (Rout et al. 2024, arXiv:2410.10792, equation 8): drawn to one fixed noise.

    Args:
        noise: [B, N, D].
        gamma: 0 (the model's own way) … 1 (straight to the noise).
    """
    _check_share("gamma", gamma)

    def steered(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        own, left = velocity(x, sigmas, at), (1 - sigmas).unsqueeze(-1)
        straight = (noise - x) / left.clamp_min(NEAR_END)
        return torch.where(left > NEAR_END, own + gamma * (straight - own), own)

    return steered


def towards_source(velocity: Velocity, source: Tensor, eta: float, start: float, stop: float, steps: int) -> Velocity:
    """RF-Inversion's way down (the same, equation 15): for a part of the steps drawn to the source clip.

    Args:
        source: x₀ of the clip, [B, N, D].
        eta: 0 (free) … 1 (straight to the source).
        start, stop: Shares of the steps between which it is drawn.
        steps: Of the run.
    """
    for name, share in (("eta", eta), ("start", start), ("stop", stop)):
        _check_share(name, share)

    def steered(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        own = velocity(x, sigmas, at)
        return drawn_to(own, x, source, sigmas, eta) if start <= at.interval / steps < stop else own

    return steered


def drawn_to(own: Tensor, x: Tensor, source: Tensor, sigmas: Tensor, share: float | Tensor) -> Tensor:
    """A velocity, for a share of it the one that leads straight to the source; its own where σ is nearly 0.

    Args:
        share: 0 … 1, for all tokens or for each, [B, N, 1].
    """
    level = sigmas.unsqueeze(-1)
    straight = (x - source) / level.clamp_min(NEAR_END)
    return torch.where(level > NEAR_END, own + share * (straight - own), own)


def flow_edit(source: Tensor, of_source: Velocity, of_target: Velocity, noise: NoiseSource, draws: int = 1) -> Velocity:
    """FlowEdit (Kulikov et al. 2024, arXiv:2412.08629, algorithm 1): from clip to clip, without any inversion.

    The state is the edited clip itself, begun at the source; its velocity is how far the target prompt's and the source
    prompt's differ at two noised clips that share their noise.

    Args:
        source: x₀, [B, N, D].
        of_source, of_target: The model under each prompt, guidance included.
        noise: Called as noise(interval, draw).
        draws: Noises that are averaged at each step.
    """

    def difference(z: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        level = sigmas.unsqueeze(-1)
        total = torch.zeros_like(z)
        for draw in range(draws):
            noised = (1 - level) * source + level * noise(at.interval, draw).to(source)
            total += of_target(z + noised - source, sigmas, at) - of_source(noised, sigmas, at)
        return total / draws

    return difference


def uni_edit(of_source: Velocity, of_target: Velocity, omega: float, by_size: bool = False) -> Velocity:
    """Uni-Edit (Jiao et al. 2025, arXiv:2504.13109, section 4): the difference strengthened where it is large.

    Args:
        omega: Strength of the difference.
        by_size: Weighs tokens by the difference's length instead of its signed mean over channels (released code).
    """

    def edited(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        source, target = of_source(x, sigmas, at), of_target(x, sigmas, at)
        difference = target - source
        weight = difference.norm(dim=-1, keepdim=True) if by_size else difference.mean(-1, keepdim=True)
        low, high = weight.amin((1, 2), keepdim=True), weight.amax((1, 2), keepdim=True)
        mask = (weight - low) / (high - low).clamp_min(1e-8)
        return omega * (1 + mask) * difference + mask * target + (1 - mask) * source

    return edited


def counted(velocity: Velocity, told: Callable[[], None]) -> Velocity:
    """Tells of every evaluation."""

    def asked(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        told()
        return velocity(x, sigmas, at)

    return asked


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} = {value:g}: 0 … 1 is allowed")
