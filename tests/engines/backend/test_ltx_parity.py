"""Our loop against diffusers' LTXPipeline: equal latents, sigmas, coordinates, embeddings and guidance."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engines.backend.families.base import PromptEmbedding, Tokens
from engines.backend.families.guided import joint_velocities
from engines.backend.loading import load_family
from engines.backend.tiny import save_tiny_ltx
from engines.sampling.guidance import Branch, ClassifierFree, GuidedVelocity, Unguided, one_by_one
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import from_scheduler_config, uniform
from engines.sampling.site import Site
from engines.sampling.solvers import make_solver
from tests.engines.tiny_models import card_for

LTX_SCHEDULER = {
    "use_dynamic_shifting": True, "base_shift": 0.95, "max_shift": 2.05, "base_image_seq_len": 1024,
    "max_image_seq_len": 4096, "shift_terminal": 0.1,
}  # fmt: skip


@pytest.mark.parametrize("scale", [1.0, 3.0])
@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("scheduler", [{}, {"shift": 3.0}, LTX_SCHEDULER])
def test_denoising_equals_ltx_pipeline(tmp_path: Path, scale: float, joint: bool, scheduler: dict[str, object]) -> None:
    from diffusers import LTXPipeline

    folder = save_tiny_ltx(tmp_path, scheduler)
    card = card_for(folder, "ltx_video")
    family = load_family(card, folder, torch.device("cpu"), torch.float32)
    pipeline = LTXPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    geometry = family.geometry(64, 96, 17, 25)
    start = gaussian_noise((1, geometry.tokens, family.channels), seed=3)
    prompt, negative = "a red fox bounces on a green field", "apple"

    theirs = pipeline(
        prompt, negative_prompt=negative, height=64, width=96, num_frames=17, frame_rate=25, num_inference_steps=6,
        guidance_scale=scale, latents=start, output_type="latent",
    ).frames  # fmt: skip

    cond, uncond = family.encode_prompt([prompt]), family.encode_prompt([negative])
    coordinates = family.coordinates(geometry)

    def velocity(x: torch.Tensor, sigmas: torch.Tensor, text: PromptEmbedding, at: Site) -> torch.Tensor:
        return family.velocity(Tokens(x, coordinates), sigmas, text, at)

    def together(
        x: torch.Tensor, sigmas: torch.Tensor, branches: list[Branch[PromptEmbedding]], at: Site
    ) -> dict[str, torch.Tensor]:
        return joint_velocities(family, Tokens(x, coordinates), sigmas, branches, at)

    guidance = ClassifierFree(cond, uncond, scale) if scale > 1 else Unguided(cond)
    guided = GuidedVelocity(together if joint else one_by_one(velocity), guidance)
    schedule = from_scheduler_config(family.scheduler_config, 6, geometry.tokens)
    ours = sample(guided, start, uniform(schedule, geometry.tokens), make_solver("euler"))

    assert (ours - theirs).abs().max() < 1e-4
    assert (ours - start).abs().max() > 0.1, "the model moved the latents"
    assert guided.evaluations == (12 if scale > 1 else 6)

    decoded = next(family.decode(family.unpack(ours, geometry)))
    frames = pipeline(
        prompt, negative_prompt=negative, height=64, width=96, num_frames=17, frame_rate=25, num_inference_steps=6,
        guidance_scale=scale, latents=start, output_type="np",
    ).frames[0]  # fmt: skip
    assert abs(decoded / 255 - frames).max() < 0.006, "the decoded frames agree to one grey level"


def test_causal_coordinates_equal_ltx_condition_pipeline(tmp_path: Path) -> None:
    from diffusers import LTXConditionPipeline
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXConditionPipeline as Condition

    assert Condition is LTXConditionPipeline
    folder = save_tiny_ltx(tmp_path)
    card = card_for(folder, "ltx_video")
    causal = card.model_copy(update={"facts": card.facts.model_copy(update={"slot_start": "causal"})})
    family = load_family(causal, folder, torch.device("cpu"), torch.float32)
    geometry = family.geometry(64, 96, 25, 24)
    ids = Condition._prepare_video_ids(1, geometry.latent_frames, geometry.latent_height, geometry.latent_width)
    theirs = Condition._scale_video_ids(ids, scale_factor=32, scale_factor_t=8).float()
    theirs[:, 0] = theirs[:, 0] / 24
    assert torch.allclose(family.coordinates(geometry), theirs, atol=1e-6)
