"""Schedules against their definitions and against diffusers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engines.sampling.schedules import (
    LTX_DYNAMIC_SHIFT,
    dynamic_shift,
    from_scheduler_config,
    linear_quadratic,
    make_schedule,
    shifted,
    uniform,
)

CONFIGS = [
    {},
    {"shift": 3.0},
    {"use_dynamic_shifting": True, "base_shift": 0.95, "max_shift": 2.05, "base_image_seq_len": 1024,
     "max_image_seq_len": 4096, "shift_terminal": 0.1},
    {"use_dynamic_shifting": True, "time_shift_type": "linear"},
]  # fmt: skip


@pytest.mark.parametrize("name", ["model", "linear", "shifted", "linear_quadratic"])
@pytest.mark.parametrize("steps", [1, 2, 3, 20, 200])
@pytest.mark.parametrize("tokens", [1, 180, 30000])
def test_every_schedule_falls_strictly_from_one_to_exactly_zero(name: str, steps: int, tokens: int) -> None:
    sigmas = make_schedule(name, steps, tokens, CONFIGS[2])
    assert sigmas.shape == (steps + 1,)
    assert sigmas.dtype == torch.float32
    assert sigmas[0] == 1
    assert sigmas[-1] == 0
    assert (sigmas[1:] < sigmas[:-1]).all()


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("tokens", [180, 2048])
def test_model_schedule_equals_diffusers_as_the_pipeline_calls_it(config: dict[str, object], tokens: int) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler
    from diffusers.pipelines.ltx.pipeline_ltx import calculate_shift

    scheduler = FlowMatchEulerDiscreteScheduler(**config)
    mu = calculate_shift(
        tokens,
        scheduler.config.base_image_seq_len,
        scheduler.config.max_image_seq_len,
        scheduler.config.base_shift,
        scheduler.config.max_shift,
    )
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / 20, 20), mu=mu)
    assert torch.allclose(from_scheduler_config(config, 20, tokens), scheduler.sigmas, atol=1e-6)


@pytest.mark.parametrize("steps", [2, 3, 8, 40])
def test_linear_quadratic_equals_diffusers(steps: int) -> None:
    from diffusers.pipelines.ltx.pipeline_ltx_condition import linear_quadratic_schedule

    assert torch.allclose(linear_quadratic(steps)[:-1], linear_quadratic_schedule(steps), atol=1e-6)
    assert linear_quadratic(steps)[steps // 2] == pytest.approx(0.975)


def test_dynamic_shift_passes_through_its_two_points() -> None:
    assert dynamic_shift(1024, **LTX_DYNAMIC_SHIFT) == pytest.approx(0.95)
    assert dynamic_shift(4096, **LTX_DYNAMIC_SHIFT) == pytest.approx(2.05)


def test_terminal_is_the_last_level_before_zero() -> None:
    assert shifted(10, 3.0, terminal=0.1)[-2] == pytest.approx(0.1)


def test_what_is_not_followed_is_refused() -> None:
    with pytest.raises(ValueError, match="use_karras_sigmas"):
        from_scheduler_config({"use_karras_sigmas": True}, 4, 10)
    with pytest.raises(ValueError, match="UniPC"):
        from_scheduler_config({"_class_name": "UniPCMultistepScheduler"}, 4, 10)
    with pytest.raises(ValueError, match="at least 1 step"):
        make_schedule("linear", 0, 10, {})
    with pytest.raises(ValueError, match="unknown schedule"):
        make_schedule("cosine", 4, 10, {})


def test_uniform_gives_every_token_the_same_level() -> None:
    sigmas = uniform(shifted(4, 2.0), 7)
    assert sigmas.shape == (5, 7)
    assert (sigmas == sigmas[:, :1]).all()
