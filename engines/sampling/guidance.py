"""Guidance: which branches a velocity needs and how they are combined.

Shapes: velocities float32 [B, N, D]. A branch's prompt is opaque here: whatever the model's velocity takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from torch import Tensor

from engines.sampling.site import Site

P = TypeVar("P")


@dataclass(frozen=True)
class Branch(Generic[P]):
    """One model call of a guided velocity: its name (Site.branch) and the prompt that it sees."""

    name: str
    prompt: P


class Guidance(Protocol[P]):
    """Names the branches at a noise level and combines their velocities."""

    def branches(self, sigma: float) -> list[Branch[P]]: ...

    def combine(self, velocities: Mapping[str, Tensor], sigma: float) -> Tensor: ...


@dataclass(frozen=True)
class Unguided(Generic[P]):
    """One branch, no guidance: half the evaluations."""

    cond: P

    def branches(self, sigma: float) -> list[Branch[P]]:
        return [Branch("cond", self.cond)]

    def combine(self, velocities: Mapping[str, Tensor], sigma: float) -> Tensor:
        return velocities["cond"]


@dataclass(frozen=True)
class ClassifierFree(Generic[P]):
    """v = v_uncond + s·(v_cond − v_uncond) (Ho & Salimans 2022, arXiv:2207.12598, eq. 6).

    Only at σ in (low, high] (guidance interval: Kynkäänniemi et al. 2024, arXiv:2404.07724); outside it one branch is
    asked and the prompt alone speaks.

    Attributes:
        cond: Prompt.
        uncond: Negative or empty prompt.
        scale: s; 1 is no guidance.
        low: Lower end of the interval, excluded.
        high: Upper end, included.
    """

    cond: P
    uncond: P
    scale: float
    low: float = 0.0
    high: float = 1.0

    def branches(self, sigma: float) -> list[Branch[P]]:
        if self._applies(sigma):
            return [Branch("uncond", self.uncond), Branch("cond", self.cond)]
        return [Branch("cond", self.cond)]

    def combine(self, velocities: Mapping[str, Tensor], sigma: float) -> Tensor:
        cond = velocities["cond"]
        if "uncond" not in velocities:
            return cond
        uncond = velocities["uncond"]
        return uncond + self.scale * (cond - uncond)

    def _applies(self, sigma: float) -> bool:
        return self.scale != 1 and self.low < sigma <= self.high


def interval_of_steps(sigmas: Tensor, start: float, end: float) -> tuple[float, float]:
    """Turns shares of the steps into noise levels (low, high].

    Args:
        sigmas: Falling schedule [steps + 1].
        start: Share of the steps before guidance begins, 0 … 1.
        end: Share of the steps after which it ends, start … 1.
    """
    steps = sigmas.shape[0] - 1
    return float(sigmas[_index(end, steps)]), float(sigmas[_index(start, steps)])


def _index(share: float, steps: int) -> int:
    return math.ceil(share * steps - 1e-9)  # 0.1 · 30 is a little more than 3 in floating point


# (x [B, N, D], sigmas [B, N], branches, at) → velocity of each branch by name
BranchVelocities = Callable[[Tensor, Tensor, Sequence[Branch[P]], Site], Mapping[str, Tensor]]


def one_by_one(velocity: Callable[[Tensor, Tensor, P, Site], Tensor]) -> BranchVelocities[P]:
    """Asks a model's velocity once per branch; at.branch names the branch."""

    def ask(x: Tensor, sigmas: Tensor, branches: Sequence[Branch[P]], at: Site) -> Mapping[str, Tensor]:
        return {branch.name: velocity(x, sigmas, branch.prompt, replace(at, branch=branch.name)) for branch in branches}

    return ask


class GuidedVelocity(Generic[P]):
    """A velocity for `sample` out of a model's branch velocities and a guidance.

    Attributes:
        evaluations: Model calls so far, every branch counted, also where branches share one batched call.
    """

    def __init__(self, velocities: BranchVelocities[P], guidance: Guidance[P]) -> None:
        self._velocities = velocities
        self._guidance = guidance
        self.evaluations = 0

    def __call__(self, x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        branches = self._guidance.branches(at.sigma)
        self.evaluations += len(branches)
        return self._guidance.combine(self._velocities(x, sigmas, branches, at), at.sigma)
