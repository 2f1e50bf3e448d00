"""Where the prompts agree the clip is held; where they differ the new one is followed.

Shape legend: B = 1; N = S·h·w tokens of S slots; D channels. σ per token. x_σ = (1 − σ)·x₀ + σ·ε, v = ε − x₀.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
import torch.nn.functional as functional
from torch import Tensor

from engines.inversion.velocities import drawn_to
from engines.sampling.guidance import Branch
from engines.sampling.loop import Velocity
from engines.sampling.site import Site

# Levels at which a model tells best what two prompts differ in (docs/LOG.md); of a clip that is taken less far up, the
# upper half of its way.
TELLING = (0.5, 0.88)
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
    """DiffEdit's mask (Couairon et al. 2022, arXiv:2210.11427, section 3.2), gathered on the clip's way up.

    There it comes from several noises at one level; here from all levels that tell. It is known before the first step
    down: a new thing that is free to begin elsewhere does so, and the old one then stays beside it as background.

    Args:
        grid: S, h, w.
        highest: σ that the clip is taken to.
    """

    def __init__(self, grid: tuple[int, int, int], highest: float = 1.0) -> None:
        self._grid = grid
        self._lowest = min(TELLING[0], highest / 2)
        self._total: Tensor | None = None
        self._count = 0

    @property
    def is_empty(self) -> bool:
        return self._total is None

    def tells(self, sigma: float) -> bool:
        """Whether the answers at this level say something."""
        return self._lowest <= sigma <= TELLING[1]

    def gather(self, difference: Tensor) -> None:
        """difference: Of the velocities under both prompts, [1, N, D]."""
        length = difference.float().norm(dim=-1)[0]
        self._total = length if self._total is None else self._total + length
        self._count += 1

    def shares(self) -> Tensor:
        """0 where the prompts agree … 1 where they differ most, [1, N, 1].

        What differs is a thing, then the cells around it count as much; or the place, then they do not.

        Raises: RuntimeError if nothing was gathered.
        """
        if self._total is None:
            raise RuntimeError("nothing was gathered")
        mean = self._total / self._count
        high = mean.topk(max(1, round(HIGHEST * len(mean)))).values.mean()
        middle = mean.median()
        low, most = torch.minimum(NOISE * middle, NONE * high), ALL * (high - middle / 2)
        share = ((mean - low) / (most - low).clamp_min(ROUNDING)).clamp(0, 1)
        if middle < MIDDLE_DIFFERS * high:
            share = functional.max_pool2d(share.view(1, *self._grid), 3, stride=1, padding=1)
        return share.reshape(1, -1, 1)


def watched(of_source: Velocity, of_target: Velocity, mask: DisagreementMask) -> Velocity:
    """The source's velocity; at levels that tell the target is asked, too, and the mask gathers how they differ."""

    def asked(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        source = of_source(x, sigmas, at)
        if mask.tells(at.sigma):
            mask.gather(of_target(x, sigmas, at) - source)
        return source

    return asked


@dataclass(frozen=True)
class Target(Generic[P]):
    """One branch, without guidance, that hooks can tell from the source's."""

    prompt: P

    def branches(self, sigma: float) -> list[Branch[P]]:
        return [Branch("target", self.prompt)]

    def combine(self, velocities: Mapping[str, Tensor], sigma: float) -> Tensor:
        return velocities["target"]


@dataclass(frozen=True)
class FollowedWhereTheyDiffer(Generic[P]):
    """v = v_s + m·(v_∅ + scale·(v_t − v_∅) − v_s).

    The guidance is against no words, not against the old ones: those say much of what the new ones say, and in another
    place the thing itself would be guided no more.

    Attributes:
        source, target, nothing: The prompts.
        differs: m, see DisagreementMask; [1, N, 1].
        scale: Of the guidance to the new prompt.
    """

    source: P
    target: P
    nothing: P
    differs: Tensor
    scale: float

    def branches(self, sigma: float) -> list[Branch[P]]:
        return [Branch("nothing", self.nothing), Branch("source", self.source), Branch("target", self.target)]

    def combine(self, velocities: Mapping[str, Tensor], sigma: float) -> Tensor:
        nothing, source, target = (velocities[name] for name in ("nothing", "source", "target"))
        guided = nothing + self.scale * (target - nothing)
        return source + self.differs * (guided - source)


def held_where_they_agree(velocity: Velocity, differs: Tensor, clean: Tensor, hold: float) -> Velocity:
    """Where m is small drawn to the clip as RF-Inversion does (arXiv:2410.10792).

    Args:
        differs: m, [1, N, 1].
        clean: x₀ of the clip, [1, N, D].
        hold: 0 (free) … 1: how firmly.
    """

    def held(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        return drawn_to(velocity(x, sigmas, at), x, clean, sigmas, hold * (1 - differs))

    return held
