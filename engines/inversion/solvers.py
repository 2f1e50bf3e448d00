"""Solvers for the way back, σ rising; all of them also sample, σ falling.

Shapes: x, v float32 [B, N, D]; sigma, sigma_next float32 [B, N]. h = σ' − σ, one value per token; a token with h = 0
stands still by arithmetic. Euler and RF-Solver-2 (the midpoint rule) are those of engines.sampling.solvers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

from engines.sampling.solvers import BeginsAnew, Euler, Evaluate, Midpoint, Solver

InversionSolver = Literal["euler", "rf_solver", "fireflow", "uni_inv", "fixed_point", "reversible_leapfrog"]
TOLERANCE = 1e-3


class FireFlow(BeginsAnew):
    """Order two for one evaluation a step: the last step's midpoint velocity predicts the next midpoint.

    FireFlow (Deng et al. 2024, arXiv:2412.07517), equations 10–12.
    """

    name = "fireflow"
    order = 2

    def step(
        self, evaluate: Evaluate, x: Tensor, sigma: Tensor, sigma_next: Tensor, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        width = (sigma_next - sigma).unsqueeze(-1)
        known = evaluate(x, sigma, 0) if state is None else state
        middle = evaluate(x + 0.5 * width * known, 0.5 * (sigma + sigma_next), 1)
        return x + width * middle, middle


class UniInv(BeginsAnew):
    """The velocity at the end of the interval, which is the one that Euler sampling will use on the way back.

    Uni-Inv (Jiao et al. 2025, arXiv:2504.13109), algorithm 1. Sample with Euler.

    Args:
        zero_initial: The first end is predicted without a velocity at σ = 0, which models may never have learnt.
    """

    name = "uni_inv"
    order = 1

    def __init__(self, zero_initial: bool = False) -> None:
        self._zero_initial = zero_initial

    def step(
        self, evaluate: Evaluate, x: Tensor, sigma: Tensor, sigma_next: Tensor, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        width = (sigma_next - sigma).unsqueeze(-1)
        if state is None:
            state = torch.zeros_like(x) if self._zero_initial else evaluate(x, sigma, 0)
        velocity = evaluate(x + width * state, sigma_next, 1)
        return x + width * velocity, velocity


class FixedPoint(BeginsAnew):
    """The point from which an Euler step would lead back here, by iteration: x' = x + h · v(x', σ').

    Where the iteration moves away instead of settling (h times the Lipschitz constant above one) its first answer is
    kept, which is Uni-Inv's without its memory.

    Args:
        iterations: At most; 1 … 10.
    """

    name = "fixed_point"
    order = 1

    def __init__(self, iterations: int = 3) -> None:
        if not 1 <= iterations <= 10:
            raise ValueError(f"iterations = {iterations}: 1 … 10 are allowed")
        self._iterations = iterations

    def step(
        self, evaluate: Evaluate, x: Tensor, sigma: Tensor, sigma_next: Tensor, state: None
    ) -> tuple[Tensor, None]:
        width = (sigma_next - sigma).unsqueeze(-1)
        moved = width * evaluate(x, sigma, 0)
        size, last_change, first = float(moved.norm()), float("inf"), None
        for stage in range(1, self._iterations + 1):
            again = width * evaluate(x + moved, sigma_next, stage)
            change = float((again - moved).norm())
            if first is not None and change > last_change:
                return x + first, None
            moved, last_change = again, change
            first = moved if first is None else first
            if change <= TOLERANCE * size:
                break
        return x + moved, None


class ReversibleLeapfrog(BeginsAnew):
    """Exactly reversible: carries a velocity beside the state, and with it comes back to the last bit or two.

    Asynchronous leapfrog (Zhuang et al. 2021, arXiv:2102.04668, algorithm 2). The error returns as soon as the prompt
    or the guidance changes on the way back.

    Args:
        carried: The velocity that an earlier run of the other direction ended with, [B, N, D]; None to begin anew.

    Attributes:
        carried: That of the last step that was made.
    """

    name = "reversible_leapfrog"
    order = 2

    def __init__(self, carried: Tensor | None = None) -> None:
        self.carried = carried

    def step(
        self, evaluate: Evaluate, x: Tensor, sigma: Tensor, sigma_next: Tensor, state: None
    ) -> tuple[Tensor, None]:
        width = (sigma_next - sigma).unsqueeze(-1)
        carried = evaluate(x, sigma, 0) if self.carried is None else self.carried
        middle = x + 0.5 * width * carried
        self.carried = 2 * evaluate(middle, 0.5 * (sigma + sigma_next), 1) - carried
        return middle + 0.5 * width * self.carried, None


_MAKERS: dict[InversionSolver, Callable[[], Solver]] = {
    "euler": Euler, "rf_solver": Midpoint, "fireflow": FireFlow, "uni_inv": UniInv, "fixed_point": FixedPoint,
    "reversible_leapfrog": ReversibleLeapfrog,
}  # fmt: skip


def make_inversion_solver(name: InversionSolver) -> Solver:
    """A fresh one: some keep what the last step left. Raises ValueError for an unknown name."""
    if name not in _MAKERS:
        raise ValueError(f"unknown inversion solver {name!r}; there are {', '.join(get_args(InversionSolver))}")
    return _MAKERS[name]()


def solver_back(name: InversionSolver, there: Solver) -> Solver:
    """What samples back from where that solver led: Uni-Inv and the fixed point foretell Euler's own steps."""
    if isinstance(there, ReversibleLeapfrog):
        return ReversibleLeapfrog(there.carried)
    return Euler() if name in ("uni_inv", "fixed_point") else make_inversion_solver(name)
