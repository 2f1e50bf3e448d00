"""The order of every solver, measured on data whose flow is known exactly.

Shape legend: tokens float32 [1, N, D].
"""

from __future__ import annotations

import math

import torch

from engines.inversion.solvers import InversionSolver, make_inversion_solver
from engines.metrics.known_flows import two_gaussians
from engines.sampling.loop import Velocity, sample
from engines.sampling.schedules import linear, uniform

FEW, MANY, REFERENCE = 64, 128, 1024
LOWEST = 0.1  # the flow of two Gaussians bends without end towards σ = 0


def measured_order(solver: InversionSolver) -> float:
    """Slope of the error against the step's length, sampling from the same noise as a reference of many midpoint steps.

    On an even mixture of two Gaussians: one alone is so smooth that some solvers gain an order.
    """
    noise = torch.randn(1, 64, 8, generator=torch.Generator().manual_seed(4))
    exact = _sampled(two_gaussians, noise, REFERENCE, "rf_solver")
    errors = [
        float((_sampled(two_gaussians, noise, steps, solver) - exact).square().mean().sqrt()) for steps in (FEW, MANY)
    ]
    return math.log(errors[0] / errors[1]) / math.log(MANY / FEW)


def order_error(solver: InversionSolver) -> float:
    """How far the measured order lies below the declared one; being better is no error."""
    return max(0.0, make_inversion_solver(solver).order - measured_order(solver))


def _sampled(velocity: Velocity, noise: torch.Tensor, steps: int, solver: InversionSolver) -> torch.Tensor:
    levels = LOWEST + (1 - LOWEST) * linear(steps)
    return sample(velocity, noise, uniform(levels, noise.shape[1]), make_inversion_solver(solver))
