"""The curve that MagCache needs: the same as diffusers' own calibration finds, written into a model's card."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch

from engines.backend.catalogue import load_catalogue
from engines.backend.families.guided import guided_velocity
from engines.backend.families.video_family import VideoFamily
from engines.backend.loading import load_family
from engines.backend.local_models import add_local_model
from engines.backend.step_cache.calibrate import main, residual_ratios
from engines.backend.step_cache.kinds import why_not
from engines.backend.tiny import save_tiny_wan
from engines.sampling.guidance import ClassifierFree
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import make_solver
from tests.engines.tiny_models import TINY, card_for

STEPS, SCALE = 5, 3.0


@pytest.fixture(params=["ltx", "wan", "cogvideox", "hunyuan_video"])
def family(request: pytest.FixtureRequest, tmp_path: Path) -> VideoFamily:
    model, save = TINY[request.param]
    return load_family(card_for(save(tmp_path), model), tmp_path, torch.device("cpu"), torch.float32)


def found_by_diffusers(family: VideoFamily, prompt: str, capsys: pytest.CaptureFixture[str]) -> list[float]:
    """Its hooks print the curve at the end of a run."""
    from diffusers.hooks import MagCacheConfig

    geometry = family.geometry(64, 96, 9, 16)
    guidance = ClassifierFree(family.encode_prompt([prompt]), family.encode_prompt([""]), SCALE)
    schedule = make_schedule("model", STEPS, geometry.tokens, family.scheduler_config)
    family.transformer.enable_cache(MagCacheConfig(calibrate=True, num_inference_steps=STEPS))
    velocity = guided_velocity(family, geometry, guidance)
    noise = gaussian_noise((1, geometry.tokens, family.channels), 0)
    sample(velocity, noise, uniform(schedule, geometry.tokens), make_solver("euler"))
    family.transformer.disable_cache()
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("[1.0")]
    return [float(ratio) for ratio in ast.literal_eval(line)]


def test_the_curve_is_the_one_that_diffusers_finds(family: VideoFamily, capsys: pytest.CaptureFixture[str]) -> None:
    ratios = residual_ratios(family, family.geometry(64, 96, 9, 16), ["a red fox"], SCALE, STEPS)
    assert len(ratios) == STEPS
    assert ratios == pytest.approx(found_by_diffusers(family, "a red fox", capsys), abs=2e-4)
    assert len(set(ratios)) > 2


def test_a_model_of_ones_own_gets_its_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWRIGHT_HOME", str(tmp_path / "home"))
    card = add_local_model(save_tiny_wan(tmp_path / "tiny"))
    small = card.defaults.model_copy(update={"width": 64, "height": 64, "frames": 9})
    path = tmp_path / "home" / "models" / f"{card.id}.yaml"
    path.write_text(card.model_copy(update={"defaults": small}).model_dump_json(exclude_none=True))
    assert "was not measured" in why_not("mag", card)
    assert main([card.id, "--steps", "3", "--prompt", "a red fox"]) == 0
    measured = load_catalogue().card(card.id)
    assert len(measured.facts.mag_ratios) == 3
    assert why_not("mag", measured) == ""
    assert main(["gone"]) == 2
