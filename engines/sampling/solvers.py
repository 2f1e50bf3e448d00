"""Solvers of dx/dσ = v(x, σ): what one interval of the schedule does.

Shapes: x, v float32 [B, N, D] (batch, tokens, channels); sigma, sigma_next float32 [B, N], one level per token.
A token with sigma == sigma_next stands still by arithmetic. σ may fall (sampling) or rise (inversion).
A solver knows no model and no schedule: it asks `evaluate` and may keep a state between intervals.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor


class Evaluate(Protocol):
    """What the loop hands to a solver for one interval."""

    def __call__(self, x: Tensor, sigma: Tensor, stage: int) -> Tensor:
        """The velocity at x and sigma; stage 0, 1, … counts the evaluations of the interval."""

    def noise(self, stage: int) -> Tensor:
        """Fresh Gaussian noise [B, N, D] of this interval. Raises ValueError if the run was given no noise."""


class Solver(Protocol):
    """One step of an ordinary (or stochastic) differential equation solver.

    Attributes:
        name: As the request spells it.
        order: The global error falls as steps ** −order on smooth velocities.
    """

    name: str
    order: int

    def init(self, x: Tensor, sigmas: Tensor) -> Any:
        """The state before the first interval. sigmas [steps + 1, N]."""

    def step(self, evaluate: Evaluate, x: Tensor, sigma: Tensor, sigma_next: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Moves x from sigma to sigma_next. Returns the new x and the new state."""


class BeginsAnew:
    """Base of the solvers that know nothing before their first interval."""

    def init(self, x: Tensor, sigmas: Tensor) -> None:
        return None


class Euler(BeginsAnew):
    """Explicit Euler, one evaluation; as in rectified flow (Liu et al. 2022, arXiv:2209.03003, section 2.1)."""

    name = "euler"
    order = 1

    def step(
        self, evaluate: Evaluate, x: Tensor, sigma: Tensor, sigma_next: Tensor, state: None
    ) -> tuple[Tensor, None]:
        return x + _width(sigma, sigma_next) * evaluate(x, sigma, 0), None


class Midpoint(BeginsAnew):
    """Explicit midpoint rule, two evaluations (Hairer, Nørsett, Wanner: Solving ODEs I, section II.1, eq. 1.4)."""

    name = "midpoint"
    order = 2

    def step(
        self, evaluate: Evaluate, x: Tensor, sigma: Tensor, sigma_next: Tensor, state: None
    ) -> tuple[Tensor, None]:
        width = _width(sigma, sigma_next)
        middle = x + 0.5 * width * evaluate(x, sigma, 0)
        return x + width * evaluate(middle, 0.5 * (sigma + sigma_next), 1), None


class Heun(BeginsAnew):
    """Heun's rule, two evaluations; Euler where σ arrives at 0 (Karras et al. 2022, arXiv:2206.00364, alg. 1).

    A model is never trained to say a velocity at σ = 0, so the corrector is not asked there. One first-order step of
    local error O(h²) at the end leaves the global order at two.
    """

    name = "heun"
    order = 2

    def step(
        self, evaluate: Evaluate, x: Tensor, sigma: Tensor, sigma_next: Tensor, state: None
    ) -> tuple[Tensor, None]:
        width = _width(sigma, sigma_next)
        first = evaluate(x, sigma, 0)
        corrected = ((sigma_next > 0) & (sigma_next != sigma)).unsqueeze(-1)
        if not bool(corrected.any()):
            return x + width * first, None
        second = evaluate(x + width * first, sigma_next, 1)
        return x + width * torch.where(corrected, 0.5 * (first + second), first), None


class StochasticEuler(BeginsAnew):
    """Predicts x₀ and noises it anew to σ'; as `stochastic_sampling` in diffusers' FlowMatchEulerDiscreteScheduler.

    Few-step distilled checkpoints ask for it in their scheduler_config.json.
    """

    name = "stochastic_euler"
    order = 1

    def step(
        self, evaluate: Evaluate, x: Tensor, sigma: Tensor, sigma_next: Tensor, state: None
    ) -> tuple[Tensor, None]:
        clean = x - sigma.unsqueeze(-1) * evaluate(x, sigma, 0)
        level = sigma_next.unsqueeze(-1)
        noised = (1 - level) * clean + level * evaluate.noise(0)
        return torch.where((sigma == sigma_next).unsqueeze(-1), x, noised), None


SOLVERS: dict[str, type[Euler] | type[Midpoint] | type[Heun] | type[StochasticEuler]] = {
    solver.name: solver for solver in (Euler, Midpoint, Heun, StochasticEuler)
}


def make_solver(name: str) -> Solver:
    """The solver of that name. Raises ValueError for an unknown one."""
    if name not in SOLVERS:
        raise ValueError(f"unknown solver {name!r}; there are {', '.join(SOLVERS)}")
    return SOLVERS[name]()


def _width(sigma: Tensor, sigma_next: Tensor) -> Tensor:
    return (sigma_next - sigma).unsqueeze(-1)
