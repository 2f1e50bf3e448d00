"""Solvers on Gaussian data, where velocity and flow are known exactly."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engines.metrics.known_flows import MEAN, SPREAD, gaussian_velocity, two_gaussians, variance
from engines.sampling.loop import Step, sample
from engines.sampling.noise import SeededNoise
from engines.sampling.schedules import linear, shifted, uniform
from engines.sampling.site import Site
from engines.sampling.solvers import SOLVERS, make_solver

DETERMINISTIC = ["euler", "midpoint", "heun"]


def exact(start: Tensor, sigma: float) -> Tensor:
    """Where the flow carries x from σ = 1 to at this σ."""
    return (1 - sigma) * MEAN + variance(torch.tensor(sigma)).sqrt() * start


def error(solver: str, steps: int, end: float) -> float:
    start = torch.linspace(-2, 2, 24).reshape(2, 4, 3)
    sigmas = end + (1 - end) * linear(steps)
    reached = sample(gaussian_velocity, start, uniform(sigmas, 4), make_solver(solver))
    return float((reached - exact(start, end)).abs().max())


def slope(few: float, many: float) -> float:
    """Order read from the errors at 8 and at 32 steps."""
    return math.log(few / many) / math.log(4)


@pytest.mark.parametrize("end", [0.0, 0.3])
@pytest.mark.parametrize("solver", DETERMINISTIC)
def test_measured_order_on_gaussian_data(solver: str, end: float) -> None:
    """At least the declared order; the midpoint rule is even of third order on this data."""
    measured = slope(error(solver, 8, end), error(solver, 32, end))
    assert measured == pytest.approx({"euler": 1, "midpoint": 3, "heun": 2}[solver], abs=0.2)
    assert measured > make_solver(solver).order - 0.2


@pytest.mark.parametrize("solver", DETERMINISTIC)
def test_measured_order_is_the_declared_order_on_two_gaussians(solver: str) -> None:
    start = torch.linspace(-2, 2, 24).reshape(2, 4, 3)
    # Down to σ = 0.3 only: where the two modes part, the flow is stiff and few steps do not show the order yet.
    ends = {n: sample(two_gaussians, start, uniform(0.3 + 0.7 * linear(n), 4), make_solver(solver)) for n in (8, 32)}
    reference = sample(two_gaussians, start, uniform(0.3 + 0.7 * linear(1000), 4), make_solver("heun"))
    few, many = (float((ends[n] - reference).abs().mean()) for n in (8, 32))
    assert slope(few, many) == pytest.approx(make_solver(solver).order, abs=0.25)


@pytest.mark.parametrize("solver", DETERMINISTIC)
def test_sampling_gaussian_noise_gives_the_data_distribution(solver: str) -> None:
    start = torch.linspace(-2, 2, 24).reshape(2, 4, 3)
    end = sample(gaussian_velocity, start, uniform(linear(50), 4), make_solver(solver))
    assert torch.allclose(end, MEAN + SPREAD * start, atol={1: 0.03, 2: 2e-3}[make_solver(solver).order])


@pytest.mark.parametrize("solver", DETERMINISTIC)
def test_there_and_back_again(solver: str) -> None:
    start = torch.linspace(-2, 2, 24).reshape(2, 4, 3)
    falling = uniform(shifted(200, 2.0), 4)
    there = sample(gaussian_velocity, start, falling, make_solver(solver))
    back = sample(gaussian_velocity, there, falling.flip(0), make_solver(solver))
    tolerance = {1: 0.1, 2: 1e-3}[make_solver(solver).order]
    assert float((back - start).abs().max()) < tolerance


@pytest.mark.parametrize("solver", list(SOLVERS))
def test_tokens_whose_level_does_not_change_stand_still(solver: str) -> None:
    x = torch.randn(1, 5, 3, generator=torch.Generator().manual_seed(0))
    sigmas = uniform(linear(7), 5).clone()
    sigmas[:, 0] = 0.0
    sigmas[:, 1] = 0.3
    noise = SeededNoise(0, x.shape)
    end = sample(gaussian_velocity, x, sigmas, make_solver(solver), noise)
    assert torch.equal(end[:, :2], x[:, :2])
    assert not torch.isclose(end[:, 2:], x[:, 2:]).any()


def test_rolling_tokens_arrive_each_at_its_own_time() -> None:
    """A per-token schedule gives each token what it would get alone (the velocity has no interaction)."""
    x = torch.linspace(-1, 1, 6).reshape(1, 2, 3)
    early = torch.cat([linear(10), torch.zeros(5)])
    late = torch.cat([torch.ones(5), linear(10)])
    together = sample(gaussian_velocity, x, torch.stack([early, late], dim=1), make_solver("heun"))
    alone = sample(gaussian_velocity, x, uniform(linear(10), 2), make_solver("heun"))
    assert torch.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize(("solver", "calls"), [("euler", 6), ("midpoint", 12), ("heun", 11)])
def test_sites_name_interval_stage_and_level(solver: str, calls: int) -> None:
    sites: list[Site] = []

    def velocity(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        assert sigmas.shape == x.shape[:2]
        assert at.sigma == pytest.approx(float(sigmas.max()))
        sites.append(at)
        return gaussian_velocity(x, sigmas, at)

    sample(velocity, torch.zeros(2, 3, 4), uniform(linear(6), 3), make_solver(solver))
    assert len(sites) == calls
    assert [site.interval for site in sites] == sorted(site.interval for site in sites)
    assert sites[0] == Site(0, 0, 1.0)
    assert all(site.sigma > 0 for site in sites), "no solver asks a model at σ = 0 while sampling"


def test_stochastic_euler_keeps_the_distribution_and_needs_noise() -> None:
    x = SeededNoise(1, (1, 4000, 1))(-1)
    sigmas = uniform(linear(50), 4000)
    end = sample(gaussian_velocity, x, sigmas, make_solver("stochastic_euler"), SeededNoise(1, x.shape))
    again = sample(gaussian_velocity, x, sigmas, make_solver("stochastic_euler"), SeededNoise(1, x.shape))
    assert torch.equal(end, again)
    assert float(end.mean()) == pytest.approx(MEAN, abs=0.03)
    with pytest.raises(ValueError, match="needs noise"):
        sample(gaussian_velocity, x, sigmas, make_solver("stochastic_euler"))


def test_stochastic_euler_equals_diffusers_step() -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler(stochastic_sampling=True)
    scheduler.set_timesteps(sigmas=[1.0, 0.75, 0.5, 0.25])
    theirs = x = SeededNoise(3, (1, 6, 2))(-1)
    torch.manual_seed(5)
    for t in scheduler.timesteps:
        v = gaussian_velocity(theirs, (t / 1000).expand(1, 6), Site(0, 0, 0.0))
        theirs = scheduler.step(v, t, theirs, return_dict=False)[0]
    torch.manual_seed(5)
    drawn = [torch.randn(1, 6, 2) for _ in range(4)]
    ours = sample(
        gaussian_velocity, x, uniform(linear(4), 6), make_solver("stochastic_euler"), lambda i, stage: drawn[i]
    )
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_on_step_sees_every_interval_and_can_stop() -> None:
    seen: list[Step] = []
    start = torch.full((1, 2, 1), 1.5)
    end = sample(gaussian_velocity, start, uniform(linear(4), 2), make_solver("euler"), on_step=seen.append)
    assert [(step.interval, step.total) for step in seen] == [(0, 4), (1, 4), (2, 4), (3, 4)]
    assert torch.equal(seen[-1].x, end)
    assert torch.equal(seen[-1].estimate(), end)
    assert float((seen[0].estimate() - MEAN).abs().max()) < 0.01, "at σ = 1 the best guess is the mean"

    class Stop(Exception):
        pass

    def stop(step: Step) -> None:
        raise Stop

    with pytest.raises(Stop):
        sample(gaussian_velocity, start, uniform(linear(4), 2), make_solver("euler"), on_step=stop)


def test_half_precision_input_is_integrated_in_float32() -> None:
    end = sample(gaussian_velocity, torch.ones(1, 2, 1).bfloat16(), uniform(linear(3), 2), make_solver("euler"))
    assert end.dtype == torch.float32


def test_wrong_shapes_and_names_are_refused() -> None:
    with pytest.raises(ValueError, match="sigmas must be"):
        sample(gaussian_velocity, torch.zeros(1, 3, 2), uniform(linear(4), 2), make_solver("euler"))
    with pytest.raises(ValueError, match="euler, midpoint, heun"):
        make_solver("rk45")
