"""Guidance arithmetic, its interval and evaluations; noise that depends only on (seed, interval, stage)."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engines.sampling.guidance import ClassifierFree, GuidedVelocity, Unguided, interval_of_steps, one_by_one
from engines.sampling.loop import sample
from engines.sampling.noise import INITIAL, SeededNoise, gaussian_noise
from engines.sampling.schedules import linear, uniform
from engines.sampling.site import Site
from engines.sampling.solvers import make_solver


def constant(x: Tensor, sigmas: Tensor, prompt: float, at: Site) -> Tensor:
    return torch.full_like(x, prompt)


def test_classifier_free_is_the_formula() -> None:
    velocity = GuidedVelocity(one_by_one(constant), ClassifierFree(cond=3.0, uncond=1.0, scale=4.0))
    v = velocity(torch.zeros(1, 2, 2), torch.ones(1, 2), Site(0, 0, 1.0))
    assert (v == 1 + 4 * (3 - 1)).all()
    assert velocity.evaluations == 2


def test_branches_carry_their_names_to_the_model() -> None:
    names: list[str] = []

    def velocity(x: Tensor, sigmas: Tensor, prompt: str, at: Site) -> Tensor:
        names.append(f"{at.branch}:{prompt}")
        return x

    GuidedVelocity(one_by_one(velocity), ClassifierFree("fox", "", 4.0))(
        torch.zeros(1, 1, 1), torch.ones(1, 1), Site(0, 0, 1.0)
    )
    assert sorted(names) == ["cond:fox", "uncond:"]


@pytest.mark.parametrize(
    ("start", "end", "evaluations"), [(0.0, 1.0, 20), (0.2, 0.7, 15), (0.5, 0.5, 10), (0.1, 0.3, 12)]
)
def test_guidance_interval_counts_in_evaluations(start: float, end: float, evaluations: int) -> None:
    sigmas = linear(10)
    low, high = interval_of_steps(sigmas, start, end)
    guided = GuidedVelocity(one_by_one(constant), ClassifierFree(3.0, 1.0, 4.0, low, high))
    sample(guided, torch.zeros(1, 2, 1), uniform(sigmas, 2), make_solver("euler"))
    assert guided.evaluations == evaluations


def test_no_guidance_asks_once_per_step() -> None:
    for guidance in (Unguided(3.0), ClassifierFree(3.0, 1.0, 1.0)):
        guided = GuidedVelocity(one_by_one(constant), guidance)
        end = sample(guided, torch.zeros(1, 2, 1), uniform(linear(10), 2), make_solver("euler"))
        assert guided.evaluations == 10
        assert torch.allclose(end, torch.tensor(-3.0))


def test_noise_depends_on_seed_interval_and_stage_only() -> None:
    reference = gaussian_noise((2, 8), seed=7)
    torch.manual_seed(123)
    assert torch.equal(reference, gaussian_noise((2, 8), seed=7, interval=INITIAL, stage=0))
    others = [gaussian_noise((2, 8), 8), gaussian_noise((2, 8), 7, 0), gaussian_noise((2, 8), 7, INITIAL, 1)]
    others.append(gaussian_noise((2, 8), 6, 0))
    for other in others:
        assert not torch.isclose(reference, other).any()
    assert torch.equal(SeededNoise(7, (2, 8))(INITIAL), reference)


def test_noise_is_the_same_on_every_machine() -> None:
    """Frozen numbers: if these change, every seed in every embedded request changes its video."""
    noise = gaussian_noise((16,), seed=1)[:4]
    assert noise.tolist() == pytest.approx([-1.902321, -0.949137, 0.162606, -2.216893], abs=1e-5)


def test_noise_is_standard_normal() -> None:
    noise = gaussian_noise((100_000,), seed=3)
    assert float(noise.mean()) == pytest.approx(0, abs=0.02)
    assert float(noise.std()) == pytest.approx(1, abs=0.02)
