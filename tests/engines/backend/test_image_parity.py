"""A given first frame through our `complete`, against the image-to-video pipelines of LTX and of Wan 2.2 TI2V."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engines.backend.families.base import Family, LatentGeometry
from engines.backend.families.video_family import to_grid
from engines.backend.loading import load_family
from engines.backend.tiny import save_tiny_ltx, save_tiny_wan
from engines.conditioning.complete import Sampling, complete
from engines.conditioning.condition import Condition, condition_on, grid_of
from engines.conditioning.given import Given, nothing
from engines.sampling.guidance import ClassifierFree
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.schedules import from_scheduler_config
from tests.engines.backend.test_parity import NEGATIVE, PROMPT, OurLevels
from tests.engines.tiny_models import card_for

CPU = torch.device("cpu")
HOW = Sampling(steps=5, seed=3)


def with_token_levels(folder: Path, model: str) -> Family:
    card = card_for(folder, model)
    facts = card.facts.model_copy(update={"timestep_granularity": "token"})
    return load_family(card.model_copy(update={"facts": facts}), folder, CPU, torch.float32)


def first_frame(family: Family, geometry: LatentGeometry) -> tuple[np.ndarray, Condition]:
    """A picture, and the condition that it is the clip's first frame."""
    picture = np.random.default_rng(1).integers(0, 256, (geometry.height, geometry.width, 3)).astype(np.uint8)
    tokens = nothing(grid_of(geometry)).tokens
    tokens[0] = True
    frames = np.zeros((geometry.frames, *picture.shape), np.uint8)
    frames[0] = picture
    return picture, condition_on(family, geometry, frames, Given(tokens))


def ours(family: Family, geometry: LatentGeometry, condition: Condition, scale: float) -> torch.Tensor:
    guidance = ClassifierFree(family.encode_prompt([PROMPT]), family.encode_prompt([NEGATIVE]), scale)
    return complete(family, geometry, guidance, condition, HOW)


def start_of(family: Family, geometry: LatentGeometry) -> torch.Tensor:
    return SeededNoise(HOW.seed, (1, geometry.tokens, family.channels))(INITIAL)


def asked(height: int, width: int, frames: int, scale: float) -> dict[str, Any]:
    return {
        "prompt": PROMPT, "negative_prompt": NEGATIVE, "height": height, "width": width, "num_frames": frames,
        "num_inference_steps": HOW.steps, "guidance_scale": scale, "output_type": "latent",
    }  # fmt: skip


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_a_first_frame_equals_ltx_image_to_video(tmp_path: Path, scale: float) -> None:
    from diffusers import LTXImageToVideoPipeline

    folder = save_tiny_ltx(tmp_path)
    family = with_token_levels(folder, "ltx_video")
    geometry = family.geometry(64, 96, 17, 25)
    picture, condition = first_frame(family, geometry)
    pipeline = LTXImageToVideoPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    # The pipeline draws from the encoder's distribution; given the latents it takes the first frame from them.
    start = torch.where(condition.is_given[:, None], condition.values, start_of(family, geometry))
    theirs = pipeline(image=Image.fromarray(picture), latents=start, frame_rate=25, **asked(64, 96, 17, scale)).frames
    made = family.pack(ours(family, geometry, condition, scale), geometry).values
    assert (made - theirs).abs().max() < 1e-4
    assert torch.equal(made[:, : 2 * 3], condition.values[:, : 2 * 3])
    assert (made - start).abs().max() > 0.1


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_a_first_frame_equals_wan_ti2v(tmp_path: Path, scale: float) -> None:
    from diffusers import WanImageToVideoPipeline

    folder = save_tiny_wan(tmp_path)
    family = with_token_levels(folder, "wan_2_1")
    geometry = family.geometry(64, 96, 17, 16)
    picture, condition = first_frame(family, geometry)
    index = folder / "model_index.json"
    index.write_text(
        index.read_text().replace('"WanPipeline"', '"WanImageToVideoPipeline"').replace(
            '"expand_timesteps": false', '"expand_timesteps": true'
        )
    )  # fmt: skip
    pipeline = WanImageToVideoPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    OurLevels(from_scheduler_config(family.scheduler_config, HOW.steps, geometry.tokens)).on(pipeline)
    # Embeddings, because this pipeline cleans prompts with a package (ftfy) that is not installed.
    prompts = {name: family.encode_prompt([text]).values for name, text in (("prompt", PROMPT), ("negative", NEGATIVE))}
    words = {"prompt": None, "negative_prompt": None, "prompt_embeds": prompts["prompt"]}
    start = to_grid(start_of(family, geometry), geometry.grid)
    theirs = pipeline(
        image=Image.fromarray(picture),
        latents=start,
        **(asked(64, 96, 17, scale) | words | {"negative_prompt_embeds": prompts["negative"]}),
    ).frames
    made = ours(family, geometry, condition, scale)
    assert (made - theirs).abs().max() < 1e-4
    assert (made - start)[:, :, 1:].abs().max() > 0.1
