"""Our loop against diffusers' pipelines of every family: equal latents, levels, embeddings."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.parity import image_to_video
from benchmarks.parity.text_to_video import CASES, PROMPT, STEPS, Compared, compare
from engines.backend.families.base import Family
from engines.backend.families.wan import WanFamily
from engines.backend.loading import load_family
from engines.backend.tiny import save_tiny_hunyuan_video, save_tiny_wan
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import from_scheduler_config
from engines.sampling.site import Site
from tests.engines.tiny_models import card_for

CPU = torch.device("cpu")


def loaded(folder: Path, model: str) -> Family:
    return load_family(card_for(folder, model), folder, CPU, torch.float32)


@pytest.mark.parametrize("scale", [1.0, 3.0])
@pytest.mark.parametrize("name", CASES)
def test_text_to_video_equals_the_pipeline(tmp_path: Path, name: str, scale: float) -> None:
    made = compare(CASES[name], tmp_path, scale)
    assert made.error < 1e-4
    assert made.moved > 0.1, "the model moved the latents"
    decoded = next(made.family.decode(made.ours))
    assert abs(decoded / 255 - made.frames()).max() < 0.006, "the decoded frames agree to one grey level"
    if name == "wan, two experts":
        assert_both_experts_spoke(made)


def assert_both_experts_spoke(made: Compared) -> None:
    assert isinstance(made.family, WanFamily)
    schedule = from_scheduler_config(made.family.scheduler_config, STEPS, made.geometry.tokens)
    assert len({id(made.family.expert(float(level))) for level in schedule[:-1]}) == 2


@pytest.mark.parametrize("scale", [1.0, 3.0])
@pytest.mark.parametrize("name", image_to_video.CASES)
def test_a_first_frame_equals_the_pipeline(tmp_path: Path, name: str, scale: float) -> None:
    made = image_to_video.CASES[name](tmp_path, scale)
    assert made.error < 1e-4
    assert (made.ours - made.start)[:, :, 1:].abs().max() > 0.1
    if name == "ltx, first frame":
        assert torch.equal(made.ours[:, :, 0], made.start[:, :, 0]), "what is given stays"


def test_only_what_is_quoted_is_to_be_written(tmp_path: Path) -> None:
    family = loaded(save_tiny_hunyuan_video(tmp_path), "hunyuan_video_1_5")
    for prompt in (PROMPT, 'a fox with a sign that says "apple"'):
        glyphs = family.encode_prompt([prompt]).glyph_mask
        assert glyphs is not None
        assert bool(glyphs.any()) == ('"' in prompt)


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
