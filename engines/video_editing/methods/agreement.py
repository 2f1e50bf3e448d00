"""Where the prompts agree the clip is held; where they differ the new one is followed.

Shape legend: B = 1; N = S·h·w tokens of S slots; D channels. σ per token. x_σ = (1 − σ)·x₀ + σ·ε, v = ε − x₀.
"""

from __future__ import annotations

import torch.nn.functional as functional
from torch import Tensor

from engines.inversion.velocities import drawn_to
from engines.sampling.loop import Velocity
from engines.sampling.site import Site

# What differs less than so many times the middle token counts as none, what differs more than this quantile as all.
NOISE, HIGHEST = 1.2, 0.97


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
        """0 where the prompts agree … 1 where they differ most, with the cells around, [1, N, 1].

        Args:
            difference: Of the velocities under both, [1, N, D].
        """
        length = difference.float().norm(dim=-1)[0]
        self._total = length if self._total is None else self._total + length
        self._count += 1
        mean = self._total / self._count
        low, high = NOISE * mean.median(), mean.quantile(HIGHEST)
        share = ((mean - low) / (high - low).clamp_min(1e-6)).clamp(0, 1)
        cells = functional.max_pool2d(share.view(1, *self._grid), 3, stride=1, padding=1)
        return cells.reshape(1, -1, 1)


def followed_where_they_differ(
    of_source: Velocity, of_target: Velocity, clean: Tensor, grid: tuple[int, int, int], *,
    scale: float, hold: float,
) -> Velocity:  # fmt: skip
    """v = v_s + m·scale·(v_t − v_s), and where m is small drawn to the clip as RF-Inversion does (arXiv:2410.10792).

    Args:
        of_source, of_target: The model under each prompt, without guidance.
        clean: x₀ of the clip, [1, N, D].
        scale: Of the guidance from the old prompt to the new one.
        hold: 0 (free) … 1: how firmly the clip is held.
    """
    mask = DisagreementMask(grid)

    def velocity(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        source, target = of_source(x, sigmas, at), of_target(x, sigmas, at)
        differs = mask.after(target - source)
        own = source + scale * differs * (target - source)
        return drawn_to(own, x, clean, sigmas, hold * (1 - differs))

    return velocity
