"""The one sampling loop.

Shapes: x float32 [B, N, D] packed tokens; sigmas float32 [steps + 1, N], one level per token and schedule point.
Convention: x_σ = (1 − σ)·x₀ + σ·ε and v = ε − x₀, so dx/dσ = v. σ falls for sampling and rises for inversion.
This file knows no model, no prompt and no guidance: they are inside `velocity`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engines.sampling.site import Site
from engines.sampling.solvers import Solver

Velocity = Callable[[Tensor, Tensor, Site], Tensor]  # (x [B, N, D], sigmas [B, N], at) → v [B, N, D]
NoiseSource = Callable[[int, int], Tensor]  # (interval, stage) → ε [B, N, D]


@dataclass(frozen=True)
class Step:
    """What `on_step` sees after an interval is done.

    Attributes:
        interval: Index of the finished interval.
        total: Intervals of the run.
        x: State now, float32 [B, N, D].
        sigma: Levels now, float32 [B, N].
        velocity: The last velocity that was evaluated, float32 [B, N, D].
    """

    interval: int
    total: int
    x: Tensor
    sigma: Tensor
    velocity: Tensor

    def estimate(self) -> Tensor:
        """x₀ as far as it can be guessed now: x − σ·v, float32 [B, N, D]."""
        return self.x - self.sigma.unsqueeze(-1) * self.velocity


class _Interval:
    """Binds velocity and noise to one interval and remembers the last velocity."""

    def __init__(self, velocity: Velocity, noise: NoiseSource | None, interval: int) -> None:
        self._velocity = velocity
        self._noise = noise
        self._interval = interval
        self.last: Tensor | None = None

    def __call__(self, x: Tensor, sigma: Tensor, stage: int) -> Tensor:
        site = Site(self._interval, stage, float(sigma.max()))
        self.last = self._velocity(x, sigma, site).float()
        return self.last

    def noise(self, stage: int) -> Tensor:
        if self._noise is None:
            raise ValueError("a stochastic solver needs noise; pass noise=SeededNoise(seed, shape)")
        return self._noise(self._interval, stage)


@torch.inference_mode()
def sample(
    velocity: Velocity,
    x: Tensor,
    sigmas: Tensor,
    solver: Solver,
    noise: NoiseSource | None = None,
    on_step: Callable[[Step], None] | None = None,
) -> Tensor:
    """Carries x along the schedule.

    Args:
        velocity: Called as velocity(x, sigmas [B, N], site); guidance, windows and editing methods wrap it.
        x: Start, [B, N, D]; taken to float32.
        sigmas: [steps + 1, N], 0 … 1. A token whose level does not change stands still by arithmetic.
        solver: From engines.sampling.solvers.
        noise: Called as noise(interval, stage) by stochastic solvers.
        on_step: Called after every interval; what it raises (Cancelled) ends the run.

    Returns: the state at the last schedule point, float32 [B, N, D].
    Raises: ValueError if the shapes disagree or a stochastic solver gets no noise.
    """
    if sigmas.ndim != 2 or sigmas.shape[0] < 2 or sigmas.shape[1] != x.shape[1]:
        raise ValueError(f"sigmas must be [steps + 1, {x.shape[1]}] for x {tuple(x.shape)}, got {tuple(sigmas.shape)}")
    x = x.float()
    levels = sigmas.to(device=x.device, dtype=torch.float32)
    total = levels.shape[0] - 1
    state = solver.init(x, levels)
    for interval in range(total):
        evaluate = _Interval(velocity, noise, interval)
        sigma, sigma_next = (level.expand(x.shape[0], -1) for level in levels[interval : interval + 2])
        x, state = solver.step(evaluate, x, sigma, sigma_next, state)
        if on_step is not None and evaluate.last is not None:
            on_step(Step(interval, total, x, sigma_next, evaluate.last))
    return x
