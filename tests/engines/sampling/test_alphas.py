"""Levels of checkpoints that were trained with betas, against diffusers' scheduler."""

from __future__ import annotations

import pytest
import torch

from engines.sampling.alphas import AlphaLevels, as_velocity
from engines.sampling.schedules import from_scheduler_config

CONFIG = {
    "_class_name": "CogVideoXDDIMScheduler", "beta_start": 0.00085, "beta_end": 0.0120,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "snr_shift_scale": 3.0,
    "timestep_spacing": "trailing", "set_alpha_to_one": True, "clip_sample": False,
}  # fmt: skip


def test_levels_are_those_of_diffusers_alphas() -> None:
    from diffusers import CogVideoXDDIMScheduler

    theirs = CogVideoXDDIMScheduler.from_config(dict(CONFIG)).alphas_cumprod
    a, b = theirs.sqrt(), (1 - theirs).sqrt()
    assert torch.allclose(AlphaLevels.of(CONFIG).sigmas, b / (a + b), atol=1e-9)
    schedule = from_scheduler_config(CONFIG, 5, 1)
    assert schedule[0] == 1
    assert schedule[-1] == 0


def test_a_trained_level_has_its_timestep_and_others_lie_between() -> None:
    levels = AlphaLevels.of(CONFIG)
    for step in (0, 199, 500, 999):
        assert float(levels.timestep(levels.sigmas[step])) == pytest.approx(step, abs=1e-3)
    between = (levels.sigmas[300] + levels.sigmas[301]) / 2
    assert float(levels.timestep(between)) == pytest.approx(300.5, abs=1e-3)
    assert float(levels.timestep(torch.tensor(1.0))) == 999


def test_a_perfect_prediction_becomes_the_flows_velocity() -> None:
    clean, noise, sigma = torch.randn(2, 3), torch.randn(2, 3), torch.tensor(0.3)
    scale = ((1 - sigma) ** 2 + sigma**2).rsqrt()
    v = (1 - sigma) * scale * noise - sigma * scale * clean
    x = (1 - sigma) * clean + sigma * noise
    assert torch.allclose(as_velocity(x, sigma, lambda z: v), noise - clean, atol=1e-6)


@pytest.mark.parametrize(("key", "value"), [("beta_schedule", "linear"), ("timestep_spacing", "leading")])
def test_what_is_not_followed_is_said(key: str, value: str) -> None:
    with pytest.raises(ValueError, match=value):
        from_scheduler_config({**CONFIG, key: value}, 5, 1)


def test_wans_levels_are_those_of_unipc() -> None:
    from diffusers import UniPCMultistepScheduler

    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    scheduler.set_timesteps(7)
    ours = from_scheduler_config({**scheduler.config, "_class_name": "UniPCMultistepScheduler"}, 7, 1)
    assert torch.allclose(ours, scheduler.sigmas, atol=2e-6)
    with pytest.raises(ValueError, match="use_flow_sigmas"):
        from_scheduler_config({"_class_name": "UniPCMultistepScheduler"}, 7, 1)
