"""Velocities that steer or replace an inversion, on data whose flow is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engines.inversion.velocities import flow_edit, from_first_level, towards_noise, towards_source, uni_edit
from engines.metrics.known_flows import gaussian_velocity
from engines.sampling.loop import sample
from engines.sampling.noise import SeededNoise
from engines.sampling.schedules import linear, uniform
from engines.sampling.site import Site
from engines.sampling.solvers import Euler

TOKENS, STEPS = 4, 10
CLEAN = torch.linspace(-2, 2, 24).reshape(2, TOKENS, 3)
NOISE = torch.randn(2, TOKENS, 3, generator=torch.Generator().manual_seed(1))
DOWN = uniform(linear(STEPS), TOKENS)


def shifted(by: float) -> object:
    """The flow of the same Gaussian, elsewhere."""

    def velocity(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        return gaussian_velocity(x - (1 - sigmas.unsqueeze(-1)) * by, sigmas, at) - by

    return velocity


def test_the_clean_end_is_asked_at_the_first_level_that_was_learnt() -> None:
    levels: list[Tensor] = []

    def remember(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        levels.append(sigmas.clone())
        return torch.zeros_like(x)

    up = DOWN.flip(0).clone()
    up[:, 2] = 0
    sample(from_first_level(remember, up[1]), CLEAN, up, Euler())
    assert levels[0][0].tolist() == pytest.approx([0.1, 0.1, 0, 0.1])
    assert levels[1][0].tolist() == pytest.approx([0.1, 0.1, 0, 0.1])


def test_drawn_all_the_way_it_arrives_at_the_noise_and_comes_back_to_the_source() -> None:
    up = sample(towards_noise(gaussian_velocity, NOISE, 1.0), CLEAN, DOWN.flip(0), Euler())
    assert torch.allclose(up, NOISE, atol=1e-4)
    back = sample(towards_source(gaussian_velocity, CLEAN, 1.0, 0, 1, STEPS), up, DOWN, Euler())
    assert torch.allclose(back, CLEAN, atol=1e-4)


def test_not_drawn_at_all_it_is_the_models_own() -> None:
    own = sample(gaussian_velocity, NOISE, DOWN, Euler())
    assert torch.equal(sample(towards_source(gaussian_velocity, CLEAN, 0.0, 0, 1, STEPS), NOISE, DOWN, Euler()), own)
    assert torch.equal(sample(towards_source(gaussian_velocity, CLEAN, 1.0, 0, 0, STEPS), NOISE, DOWN, Euler()), own)
    longer = [towards_source(gaussian_velocity, CLEAN, 0.9, 0, stop, STEPS) for stop in (0.0, 0.4, 0.8)]
    left = [float((sample(velocity, NOISE, DOWN, Euler()) - CLEAN).norm()) for velocity in longer]
    assert left == sorted(left, reverse=True)


def edited(by: float, draws: int = 1) -> Tensor:
    noise = SeededNoise(3, CLEAN.shape)
    velocity = flow_edit(CLEAN, shifted(0.0), shifted(by), noise, draws)  # type: ignore[arg-type]
    return sample(velocity, CLEAN, DOWN, Euler())


def test_flow_edit_moves_by_what_the_prompts_differ_and_nothing_else() -> None:
    assert torch.allclose(edited(0.0), CLEAN, atol=1e-5)
    moved = edited(2.0, draws=4) - CLEAN
    assert float(moved.mean()) == pytest.approx(2.0, abs=0.05)
    assert float(moved.std()) < 0.05, "a Gaussian that moves keeps every detail"


def test_uni_edit_without_a_difference_is_the_source() -> None:
    same = uni_edit(shifted(0.0), shifted(0.0), 5.0)  # type: ignore[arg-type]
    own = sample(gaussian_velocity, NOISE, DOWN, Euler())
    assert torch.allclose(sample(same, NOISE, DOWN, Euler()), own, atol=1e-5)


@pytest.mark.parametrize("by_size", [False, True])
def test_uni_edit_goes_further_the_stronger_it_is(by_size: bool) -> None:
    ends = [
        float(sample(uni_edit(shifted(0.0), shifted(1.0), omega, by_size), NOISE, DOWN, Euler()).mean())  # type: ignore[arg-type]
        for omega in (0.0, 1.0, 3.0)
    ]
    assert ends == sorted(ends)
    assert ends[2] > ends[0] + 0.5


def test_shares_outside_of_nought_and_one_are_refused() -> None:
    with pytest.raises(ValueError, match="gamma = 2"):
        towards_noise(gaussian_velocity, NOISE, 2.0)
    with pytest.raises(ValueError, match="stop = -1"):
        towards_source(gaussian_velocity, CLEAN, 0.5, 0, -1, STEPS)
