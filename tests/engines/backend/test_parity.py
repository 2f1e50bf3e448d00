"""Our loop against diffusers' pipelines of Wan, CogVideoX and HunyuanVideo 1.5: equal latents, levels, embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from engines.backend.families.base import Family, LatentGeometry
from engines.backend.families.guided import guided_velocity
from engines.backend.families.video_family import to_grid
from engines.backend.families.wan import WanFamily
from engines.backend.loading import load_family
from engines.backend.tiny import save_tiny_cogvideox, save_tiny_hunyuan_video, save_tiny_wan
from engines.sampling.guidance import ClassifierFree, Unguided
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import from_scheduler_config, uniform
from engines.sampling.site import Site
from engines.sampling.solvers import make_solver
from tests.engines.tiny_models import card_for

PROMPT, NEGATIVE, STEPS = "a red fox bounces on a green field", "apple", 5
CPU = torch.device("cpu")


def loaded(folder: Path, model: str) -> Family:
    return load_family(card_for(folder, model), folder, CPU, torch.float32)


def ours(
    family: Family, geometry: LatentGeometry, start: torch.Tensor, scale: float, prompt: str = PROMPT
) -> torch.Tensor:
    cond, uncond = family.encode_prompt([prompt]), family.encode_prompt([NEGATIVE])
    guidance = ClassifierFree(cond, uncond, scale) if scale > 1 else Unguided(cond)
    schedule = from_scheduler_config(family.scheduler_config, STEPS, geometry.tokens)
    velocity = guided_velocity(family, geometry, guidance)
    return sample(velocity, start, uniform(schedule, geometry.tokens), make_solver("euler"))


class OurLevels:
    """Gives a pipeline's Euler scheduler our levels: UniPC, which Wan ships with, is another solver."""

    def __init__(self, sigmas: torch.Tensor) -> None:
        from diffusers import FlowMatchEulerDiscreteScheduler

        self.scheduler = FlowMatchEulerDiscreteScheduler()
        self.sigmas = sigmas[:-1].tolist()

    def on(self, pipeline: Any) -> None:
        make = self.scheduler.set_timesteps
        self.scheduler.set_timesteps = lambda *_, device=None, **__: make(sigmas=self.sigmas, device=device)  # type: ignore[method-assign]
        pipeline.scheduler = self.scheduler


@pytest.mark.parametrize("scale", [1.0, 3.0])
@pytest.mark.parametrize("boundary", [None, 0.8])
def test_denoising_equals_wan_pipeline(tmp_path: Path, scale: float, boundary: float | None) -> None:
    from diffusers import WanPipeline

    folder = save_tiny_wan(tmp_path, boundary)
    family = loaded(folder, "wan_2_1")
    geometry = family.geometry(64, 96, 17, 16)
    schedule = from_scheduler_config(family.scheduler_config, STEPS, geometry.tokens)
    start = gaussian_noise((1, geometry.tokens, family.channels), seed=3)
    pipeline = WanPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    OurLevels(schedule).on(pipeline)
    arguments = {
        "prompt": PROMPT, "negative_prompt": NEGATIVE, "height": 64, "width": 96, "num_frames": 17,
        "num_inference_steps": STEPS, "guidance_scale": scale, "latents": to_grid(start, geometry.grid),
    }  # fmt: skip
    theirs = pipeline(**arguments, output_type="latent").frames
    made = ours(family, geometry, start, scale)
    latents = family.unpack(made, geometry)
    assert (latents - theirs).abs().max() < 1e-4
    assert (made - start).abs().max() > 0.1, "the model moved the latents"
    frames = pipeline(**arguments, output_type="np").frames[0]
    assert abs(next(family.decode(latents)) / 255 - frames).max() < 0.006
    if boundary is not None:
        assert isinstance(family, WanFamily)
        both = {id(family.expert(float(level))) for level in schedule[:-1]}
        assert len(both) == 2, "both experts spoke"


@pytest.mark.parametrize("scale", [1.0, 3.0])
@pytest.mark.parametrize("rotary", [True, False])
def test_denoising_equals_cogvideox_pipeline(tmp_path: Path, scale: float, rotary: bool) -> None:
    from diffusers import CogVideoXPipeline

    folder = save_tiny_cogvideox(tmp_path, rotary)
    family = loaded(folder, "cogvideox_2b")
    geometry = family.geometry(64, 96, 9, 8)
    start = gaussian_noise((1, geometry.tokens, family.channels), seed=3)
    pipeline = CogVideoXPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    arguments = {
        "prompt": PROMPT, "negative_prompt": NEGATIVE, "height": 64, "width": 96, "num_frames": 9,
        "num_inference_steps": STEPS, "guidance_scale": scale,
        "latents": to_grid(start, geometry.grid).transpose(1, 2),
    }  # fmt: skip
    theirs = pipeline(**arguments, output_type="latent").frames
    latents = family.unpack(ours(family, geometry, start, scale), geometry)
    assert (latents.transpose(1, 2) - theirs).abs().max() < 1e-4
    assert (latents.transpose(1, 2) - arguments["latents"]).abs().max() > 0.1, "the model moved the latents"
    frames = pipeline(**arguments, output_type="np").frames[0]
    assert abs(next(family.decode(latents)) / 255 - frames).max() < 0.006


def test_prompts_are_encoded_as_wan_pipeline_does(tmp_path: Path) -> None:
    from diffusers import WanPipeline

    folder = save_tiny_wan(tmp_path)
    family = loaded(folder, "wan_2_1")
    pipeline = WanPipeline.from_pretrained(folder, local_files_only=True)
    theirs = pipeline.encode_prompt(PROMPT, do_classifier_free_guidance=False, max_sequence_length=512)[0]
    assert torch.allclose(family.encode_prompt([PROMPT]).values, theirs, atol=1e-5)


def test_a_level_per_patch_reaches_wan(tmp_path: Path) -> None:
    """As Wan 2.2 TI2V was trained: what is given of a clip stands at 0."""
    folder = save_tiny_wan(tmp_path)
    card = card_for(folder, "wan_2_1")
    with_levels = card.model_copy(update={"facts": card.facts.model_copy(update={"timestep_granularity": "token"})})
    family = load_family(with_levels, folder, CPU, torch.float32)
    geometry = family.geometry(64, 64, 9, 16)
    tokens = family.pack(gaussian_noise((1, 16, 3, 8, 8), seed=0), geometry)
    prompt, level = family.encode_prompt([PROMPT]), torch.full((1, geometry.tokens), 0.5)
    here = Site(0, 0, 0.5)
    alike = family.velocity(tokens, level, prompt, here)
    nearly = level.clone()
    nearly[0, :4] -= 1e-7
    assert (family.velocity(tokens, nearly, prompt, here) - alike).abs().max() < 1e-4
    given = level.clone()
    given[0, :64] = 0
    assert (family.velocity(tokens, given, prompt, here) - alike).abs().max() > 1e-3
    plain = loaded(folder, "wan_2_1")
    with pytest.raises(ValueError, match="one noise level per sample"):
        plain.velocity(tokens, given, prompt, here)


@pytest.mark.parametrize("scale", [1.0, 3.0])
@pytest.mark.parametrize("prompt", [PROMPT, 'a fox with a sign that says "apple"'])
def test_denoising_equals_hunyuan_video_pipeline(tmp_path: Path, scale: float, prompt: str) -> None:
    from diffusers import ClassifierFreeGuidance, HunyuanVideo15Pipeline

    folder = save_tiny_hunyuan_video(tmp_path)
    family = loaded(folder, "hunyuan_video_1_5")
    geometry = family.geometry(64, 96, 9, 24)
    start = gaussian_noise((1, geometry.tokens, family.channels), seed=3)
    pipeline = HunyuanVideo15Pipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.guider = ClassifierFreeGuidance(guidance_scale=scale)
    arguments = {
        "prompt": prompt, "negative_prompt": NEGATIVE, "height": 64, "width": 96, "num_frames": 9,
        "num_inference_steps": STEPS, "latents": to_grid(start, geometry.grid),
    }  # fmt: skip
    theirs = pipeline(**arguments, output_type="latent").frames
    made = ours(family, geometry, start, scale, prompt)
    latents = family.unpack(made, geometry)
    assert (latents - theirs).abs().max() < 1e-4
    assert (made - start).abs().max() > 0.1, "the model moved the latents"
    frames = pipeline(**arguments, output_type="np").frames[0]
    assert abs(next(family.decode(latents)) / 255 - frames).max() < 0.006
    glyphs = family.encode_prompt([prompt]).glyph_mask
    assert glyphs is not None
    assert bool(glyphs.any()) == ('"' in prompt), "only what is quoted is to be written"
