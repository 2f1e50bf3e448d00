"""Inverting as a whole: there and back, what was asked, and whether the end looks like noise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engines.inversion.invert import invert, noise_statistics
from engines.sampling.loop import sample
from engines.sampling.schedules import linear, uniform
from engines.sampling.site import Site
from tests.engines.gaussian import MEAN, SPREAD, gaussian_velocity

GRID = (3, 8, 8)
TOKENS = 3 * 8 * 8
CLEAN = MEAN + SPREAD * torch.randn(1, TOKENS, 16, generator=torch.Generator().manual_seed(2))
DOWN = uniform(linear(16), TOKENS)


def test_a_clip_goes_up_to_noise_and_comes_back() -> None:
    made = invert(gaussian_velocity, CLEAN, DOWN, "fireflow")
    assert made.evaluations == 17
    back = sample(gaussian_velocity, made.top, made.sigmas, made.back)
    assert float((back - CLEAN).square().mean().sqrt()) < 0.03
    found = noise_statistics(made.top, GRID)
    assert abs(found.mean) < 0.05
    assert found.std == pytest.approx(1, abs=0.05)
    assert abs(found.excess_kurtosis) < 0.2
    assert abs(found.neighbour_correlation) < 0.05


def test_what_is_no_noise_is_told_from_it() -> None:
    smooth = torch.nn.functional.interpolate(torch.randn(16, 1, 3, 2, 2), size=GRID, mode="trilinear")
    tokens = smooth[:, 0].flatten(1).T[None]
    assert noise_statistics(tokens, GRID).neighbour_correlation > 0.5
    assert noise_statistics(0.4 * torch.randn(1, TOKENS, 16), GRID).std == pytest.approx(0.4, abs=0.05)


def test_the_clean_end_is_asked_only_if_wanted() -> None:
    lowest: list[float] = []

    def remember(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        lowest.append(float(sigmas.min()))
        return gaussian_velocity(x, sigmas, at)

    invert(remember, CLEAN, DOWN, "euler")
    assert min(lowest) == pytest.approx(1 / 16)
    invert(remember, CLEAN, DOWN, "euler", exact_start=True)
    assert min(lowest) == 0


def test_half_way_up_is_half_noise() -> None:
    half = invert(gaussian_velocity, CLEAN, DOWN[8:], "rf_solver")
    expected = (0.25 * SPREAD**2 + 0.25) ** 0.5
    assert noise_statistics(half.top, GRID).std == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("wrong", [DOWN.flip(0), torch.cat([DOWN[:3], DOWN[2:]])])
def test_a_schedule_that_does_not_fall_is_refused(wrong: Tensor) -> None:
    with pytest.raises(ValueError, match="must fall with every step"):
        invert(gaussian_velocity, CLEAN, wrong)
