"""Where the prompts agree the clip is held; where they differ the new one is followed.

Shape legend: B = 1; N = S·h·w tokens of S slots; D channels. σ per token. x_σ = (1 − σ)·x₀ + σ·ε, v = ε − x₀.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

import torch
import torch.nn.functional as functional
from torch import Tensor

from engines.inversion.velocities import drawn_to
from engines.sampling.guidance import Branch
from engines.sampling.loop import Velocity
from engines.sampling.site import Site

# What differs less than so many times the middle token counts as none, and never more than this share of what differs
# most (the mean of the highest tokens): of another place the middle token is of the place.
NOISE, NONE, HIGHEST = 1.2, 0.18, 0.02
# What differs more than this share of what differs most counts as all; less than that where the middle differs, too.
ALL = 0.65
# From this share on (another thing: 0.03 … 0.1; another place: 0.3 … 0.55) most of the picture differs: what stays is a
# thing of few cells, whose borders would eat it.
MIDDLE_DIFFERS = 0.2
# Differences of this length are of rounding: rows of one batch are not summed in one order.
ROUNDING = 1e-3

P = TypeVar("P")


class DisagreementMask:
    """DiffEdit's mask (Couairon et al. 2022, arXiv:2210.11427, section 3.2), gathered while the clip is sampled.

    There it comes from several noises at one level; here from all levels so far, at the state itself.

    Args:
        grid: S, h, w.
    """

    def __init__(self, grid: tuple[int, int, int]) -> None:
        self._grid = grid
        self._total: Tensor | None = None
        self._count = 0

    def after(self, difference: Tensor) -> Tensor:
        """0 where the prompts agree … 1 where they differ most, [1, N, 1].

        What differs is a thing, then the cells around it count as much; or the place, then they do not.

        Args:
            difference: Of the velocities under both, [1, N, D].
        """
        length = difference.float().norm(dim=-1)[0]
        self._total = length if self._total is None else self._total + length
        self._count += 1
        mean = self._total / self._count
        high = mean.topk(max(1, round(HIGHEST * len(mean)))).values.mean()
        middle = mean.median()
        low, most = torch.minimum(NOISE * middle, NONE * high), ALL * (high - middle / 2)
        share = ((mean - low) / (most - low).clamp_min(ROUNDING)).clamp(0, 1)
        if middle < MIDDLE_DIFFERS * high:
            share = functional.max_pool2d(share.view(1, *self._grid), 3, stride=1, padding=1)
        return share.reshape(1, -1, 1)


class FollowedWhereTheyDiffer(Generic[P]):
    """v = v_s + m·(v_∅ + scale·(v_t − v_∅) − v_s), with m of a `DisagreementMask`.

    The guidance is against no words, not against the old ones: those say much of what the new ones say, and in another
    place the thing itself would be guided no more.

    Args:
        source, target, nothing: The prompts.
        grid: S, h, w.
        scale: Of the guidance to the new prompt.

    Attributes:
        differs: m of the last evaluation, [1, N, 1].
    """

    def __init__(self, source: P, target: P, nothing: P, grid: tuple[int, int, int], scale: float) -> None:
        self._branches = [Branch("nothing", nothing), Branch("source", source), Branch("target", target)]
        self._mask, self._scale = DisagreementMask(grid), scale
        self.differs = torch.zeros(1, 1, 1)

    def branches(self, sigma: float) -> list[Branch[P]]:
        return self._branches

    def combine(self, velocities: Mapping[str, Tensor], sigma: float) -> Tensor:
        nothing, source, target = (velocities[branch.name] for branch in self._branches)
        self.differs = self._mask.after(target - source)
        guided = nothing + self._scale * (target - nothing)
        return source + self.differs * (guided - source)


def held_where_they_agree(
    velocity: Velocity, guidance: FollowedWhereTheyDiffer[P], clean: Tensor, hold: float
) -> Velocity:
    """Where m is small drawn to the clip as RF-Inversion does (arXiv:2410.10792).

    Args:
        velocity: Of that guidance.
        clean: x₀ of the clip, [1, N, D].
        hold: 0 (free) … 1: how firmly.
    """

    def held(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        own = velocity(x, sigmas, at)
        return drawn_to(own, x, clean, sigmas, hold * (1 - guidance.differs))

    return held
