"""Inverting as a whole: there and back, what was asked, and whether the end looks like noise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engines.inversion.invert import invert, noise_statistics, with_first_level
from engines.metrics.known_flows import MEAN, SPREAD, gaussian_velocity
from engines.sampling.loop import sample
from engines.sampling.schedules import linear, uniform
from engines.sampling.site import Site

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


def test_a_clip_that_begins_with_a_little_noise_is_never_asked_about_below_it() -> None:
    lowest: list[float] = []

    def remember(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        lowest.append(float(sigmas.min()))
        return gaussian_velocity(x, sigmas, at)

    schedule = with_first_level(DOWN, 0.1)
    assert schedule[:, 0].tolist() == pytest.approx([*(DOWN[:15, 0].tolist()), 0.1, 0])
    noise = torch.randn(CLEAN.shape, generator=torch.Generator().manual_seed(8))
    made = invert(remember, CLEAN, schedule, "fireflow", noise, ask_top=True)
    assert min(lowest) == pytest.approx(0.1)
    assert made.evaluations == len(lowest) == 17
    assert lowest[-1] == 1
    back = sample(gaussian_velocity, made.top, made.sigmas, made.back)
    assert torch.equal(made.sigmas, schedule)
    # What the noise changed of the clip is taken off again but for what the last step cannot know.
    assert float((back - CLEAN).square().mean().sqrt()) < 0.11
    assert noise_statistics(made.top, GRID).std == pytest.approx(1, abs=0.05)


def test_tokens_that_stand_still_are_not_noised() -> None:
    schedule = DOWN.clone()
    schedule[:, :5] = 0
    noise = torch.randn(CLEAN.shape, generator=torch.Generator().manual_seed(8))
    made = invert(gaussian_velocity, CLEAN, with_first_level(schedule, 0.1), "rf_solver", noise)
    assert torch.equal(made.top[:, :5], CLEAN[:, :5])
    assert (made.top[:, 5:] - CLEAN[:, 5:]).abs().mean() > 0.1


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1])
def test_a_first_level_outside_the_schedule_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="above 0 and below 1 are allowed"):
        with_first_level(DOWN, level)


def test_half_way_up_is_half_noise() -> None:
    half = invert(gaussian_velocity, CLEAN, DOWN[8:], "rf_solver")
    expected = (0.25 * SPREAD**2 + 0.25) ** 0.5
    assert noise_statistics(half.top, GRID).std == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("wrong", [DOWN.flip(0), torch.cat([DOWN[:3], DOWN[2:]])])
def test_a_schedule_that_does_not_fall_is_refused(wrong: Tensor) -> None:
    with pytest.raises(ValueError, match="must fall with every step"):
        invert(gaussian_velocity, CLEAN, wrong)
