"""A given first frame through our `complete`, against the image-to-video pipelines of LTX and of Wan 2.2 TI2V.

Shapes: latents [B, C, T', H', W'].
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.parity.text_to_video import (
    CPU,
    HEIGHT,
    NEGATIVE,
    PROMPT,
    WIDTH,
    Compared,
    OurLevels,
    quiet_pipeline,
    tiny_card,
)
from engines.backend.families.video_family import VideoFamily, to_grid
from engines.backend.geometry import LatentGeometry
from engines.backend.loading import load_family
from engines.backend.tiny import save_tiny_ltx, save_tiny_wan
from engines.conditioning.complete import Sampling, complete
from engines.conditioning.condition import Condition, condition_on, grid_of
from engines.conditioning.given import Given, nothing
from engines.sampling.guidance import ClassifierFree
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.schedules import from_scheduler_config

HOW = Sampling(steps=5, seed=3)
FRAMES = 17


def with_token_levels(folder: Path, model: str) -> VideoFamily:
    """The tiny checkpoint as one that was trained with a noise level for each token."""
    card = tiny_card(model, folder)
    facts = card.facts.model_copy(update={"timestep_granularity": "token"})
    return load_family(card.model_copy(update={"facts": facts}), folder, CPU, torch.float32)


def first_frame(family: VideoFamily, geometry: LatentGeometry) -> tuple[Image.Image, Condition]:
    """A picture, and the condition that it is the clip's first frame."""
    picture = np.random.default_rng(1).integers(0, 256, (geometry.height, geometry.width, 3)).astype(np.uint8)
    tokens = nothing(grid_of(geometry)).tokens
    tokens[0] = True
    frames = np.zeros((geometry.frames, *picture.shape), np.uint8)
    frames[0] = picture
    return Image.fromarray(picture), condition_on(family, geometry, frames, Given(tokens))


def compare_ltx(folder: Path, scale: float) -> Compared:
    """LTXImageToVideoPipeline."""
    family = with_token_levels(save_tiny_ltx(folder), "ltx_video")
    geometry = family.geometry(HEIGHT, WIDTH, FRAMES, 25)
    picture, condition = first_frame(family, geometry)
    # The pipeline draws from the encoder's distribution; given the latents it takes the first frame from them.
    start = torch.where(condition.is_given[:, None], condition.values, _noise(family, geometry))
    asked = _asked(scale) | {"image": picture, "latents": start, "frame_rate": 25}
    pipeline = quiet_pipeline("LTXImageToVideoPipeline", folder)
    theirs = to_grid(pipeline(**asked, output_type="latent").frames, geometry.grid)
    return _compared(family, geometry, start, condition, scale, theirs, lambda: pipeline(**asked, output_type="np"))


def compare_wan(folder: Path, scale: float) -> Compared:
    """WanImageToVideoPipeline of a checkpoint with `expand_timesteps`."""
    family = with_token_levels(save_tiny_wan(folder), "wan_2_1")
    geometry = family.geometry(HEIGHT, WIDTH, FRAMES, 16)
    picture, condition = first_frame(family, geometry)
    index = folder / "model_index.json"
    index.write_text(
        index.read_text().replace('"WanPipeline"', '"WanImageToVideoPipeline"').replace(
            '"expand_timesteps": false', '"expand_timesteps": true'
        )
    )  # fmt: skip
    pipeline = quiet_pipeline("WanImageToVideoPipeline", folder)
    OurLevels(from_scheduler_config(family.scheduler_config, HOW.steps, geometry.tokens)).on(pipeline)
    start = _noise(family, geometry)
    # Embeddings, because this pipeline cleans prompts with a package (ftfy) that is not installed.
    asked = _asked(scale) | {
        "prompt": None, "negative_prompt": None, "prompt_embeds": family.encode_prompt([PROMPT]).values,
        "negative_prompt_embeds": family.encode_prompt([NEGATIVE]).values, "image": picture,
        "latents": to_grid(start, geometry.grid),
    }  # fmt: skip
    theirs = pipeline(**asked, output_type="latent").frames
    return _compared(family, geometry, start, condition, scale, theirs, lambda: pipeline(**asked, output_type="np"))


CASES: dict[str, Callable[[Path, float], Compared]] = {
    "ltx, first frame": compare_ltx, "wan, first frame": compare_wan,
}  # fmt: skip


def _compared(
    family: VideoFamily, geometry: LatentGeometry, start: Tensor, condition: Condition, scale: float, theirs: Tensor,
    frames: Callable[[], Any],
) -> Compared:  # fmt: skip
    guidance = ClassifierFree(family.encode_prompt([PROMPT]), family.encode_prompt([NEGATIVE]), scale)
    made = complete(family, geometry, guidance, condition, HOW)
    return Compared(family, geometry, to_grid(start, geometry.grid), made, theirs, frames)


def _noise(family: VideoFamily, geometry: LatentGeometry) -> Tensor:
    return SeededNoise(HOW.seed, (1, geometry.tokens, family.channels))(INITIAL)


def _asked(scale: float) -> dict[str, Any]:
    return {
        "prompt": PROMPT, "negative_prompt": NEGATIVE, "height": HEIGHT, "width": WIDTH, "num_frames": FRAMES,
        "num_inference_steps": HOW.steps, "guidance_scale": scale,
    }  # fmt: skip
