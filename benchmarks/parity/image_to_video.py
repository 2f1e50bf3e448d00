"""A given first frame, against the image-to-video pipelines: as a clean token (LTX, Wan 2.2 TI2V), or as channels
beside the latents and as tokens of an image encoder (Wan 2.1 and 2.2, CogVideoX, HunyuanVideo 1.5).

Shapes: latents [B, C, T', H', W'].
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
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
)
from engines.backend.families.base import Frames
from engines.backend.families.video_family import VideoFamily, to_grid
from engines.backend.families.wan_vace import WanVACEFamily
from engines.backend.geometry import LatentGeometry
from engines.backend.loading import load_family
from engines.backend.tiny import (
    WanGiven,
    card_for,
    save_tiny_cogvideox,
    save_tiny_hunyuan_video,
    save_tiny_ltx,
    save_tiny_wan,
    save_tiny_wan_vace,
)
from engines.conditioning.beside import complete_beside, sample_beside
from engines.conditioning.complete import Sampling, complete
from engines.conditioning.condition import Condition, condition_on, grid_of
from engines.conditioning.given import Given, nothing
from engines.sampling.guidance import ClassifierFree, Unguided
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.schedules import from_scheduler_config

HOW = Sampling(steps=5, seed=3)
FRAMES = 17


def with_token_levels(folder: Path, model: str) -> VideoFamily:
    """The tiny checkpoint as one that was trained with a noise level for each token."""
    card = card_for(folder, model)
    facts = card.facts.model_copy(update={"timestep_granularity": "token"})
    return load_family(card.model_copy(update={"facts": facts}), folder, CPU, torch.float32)


def first_frame(family: VideoFamily, geometry: LatentGeometry) -> tuple[Image.Image, Condition]:
    """A picture, and the condition that it is the clip's first frame."""
    picture = _picture(geometry, 1)
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
    latents = to_grid(start, geometry.grid)
    asked = _asked(scale) | _as_embeddings(family) | {"image": picture, "latents": latents}
    theirs = pipeline(**asked, output_type="latent").frames
    return _compared(family, geometry, start, condition, scale, theirs, lambda: pipeline(**asked, output_type="np"))


def compare_wan_channels(folder: Path, scale: float, boundary: float | None, given: WanGiven, last: bool) -> Compared:
    """WanImageToVideoPipeline with the first frame, and the last one too, as channels."""
    save_tiny_wan(folder, boundary, given)
    family = load_family(card_for(folder, "wan_2_1"), folder, CPU, torch.float32)
    geometry = family.geometry(HEIGHT, WIDTH, FRAMES, 16)
    pictures = [_picture(geometry, seed) for seed in (1, 2)]
    pipeline = quiet_pipeline("WanImageToVideoPipeline", folder)
    OurLevels(from_scheduler_config(family.scheduler_config, HOW.steps, geometry.tokens)).on(pipeline)
    asked = _asked(scale) | _as_embeddings(family) | {"image": Image.fromarray(pictures[0])}
    frames = {0: pictures[0]}
    if last:
        frames[geometry.frames - 1] = pictures[1]
        asked["last_image"] = Image.fromarray(pictures[1])
    return _beside(family, geometry, frames, scale, pipeline, asked)


def compare_wan_vace(folder: Path, scale: float) -> Compared:
    """WanVACEPipeline: a region of a video is made anew."""
    family = load_family(card_for(save_tiny_wan_vace(folder), "wan_2_1"), folder, CPU, torch.float32)
    assert isinstance(family, WanVACEFamily)
    geometry = family.geometry(HEIGHT, WIDTH, FRAMES, 16)
    random = np.random.default_rng(4)
    video = random.integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3)).astype(np.uint8)
    new = np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    new[4:, 16:48, 20:70] = True
    pipeline = quiet_pipeline("WanVACEPipeline", folder)
    OurLevels(from_scheduler_config(family.scheduler_config, HOW.steps, geometry.tokens)).on(pipeline)
    start = _noise(family, geometry)
    asked = _asked(scale) | _as_embeddings(family) | {
        "video": [Image.fromarray(frame) for frame in video], "latents": to_grid(start, geometry.grid),
        "mask": [Image.fromarray(np.uint8(frame) * 255) for frame in new],
    }  # fmt: skip
    theirs = pipeline(**asked, output_type="latent").frames
    cond, uncond = (family.encode_prompt([text]) for text in (PROMPT, NEGATIVE))
    guidance = ClassifierFree(cond, uncond, scale) if scale > 1 else Unguided(cond)
    made = sample_beside(family, geometry, guidance, family.control(geometry, video, new), HOW)
    return Compared(
        family, geometry, to_grid(start, geometry.grid), made, theirs,
        lambda: pipeline(**asked, output_type="np").frames[0],
    )  # fmt: skip


def compare_cogvideox(folder: Path, scale: float) -> Compared:
    """CogVideoXImageToVideoPipeline; it draws from the encoder's distribution, here it takes the mode."""
    save_tiny_cogvideox(folder, given=True)
    family = load_family(card_for(folder, "cogvideox_2b"), folder, CPU, torch.float32)
    geometry = family.geometry(HEIGHT, WIDTH, 9, 8)
    picture = _picture(geometry, 1)
    pipeline = quiet_pipeline("CogVideoXImageToVideoPipeline", folder)
    encode = pipeline.vae.encode
    pipeline.vae.encode = lambda pixels: SimpleNamespace(latents=encode(pixels).latent_dist.mode())
    asked = _asked(scale) | {"num_frames": 9, "image": Image.fromarray(picture)}
    return _beside(family, geometry, {0: picture}, scale, pipeline, asked, time_first=True)


def compare_hunyuan_video(folder: Path, scale: float) -> Compared:
    """HunyuanVideo15ImageToVideoPipeline, whose size follows from the picture."""
    from diffusers import ClassifierFreeGuidance

    save_tiny_hunyuan_video(folder, given=True)
    family = load_family(card_for(folder, "hunyuan_video_1_5"), folder, CPU, torch.float32)
    geometry = family.geometry(64, 64, 9, 24)
    picture = _picture(geometry, 1)
    pipeline = quiet_pipeline("HunyuanVideo15ImageToVideoPipeline", folder)
    pipeline.guider = ClassifierFreeGuidance(guidance_scale=scale)
    asked: dict[str, Any] = {
        "prompt": PROMPT, "negative_prompt": NEGATIVE, "num_frames": 9, "num_inference_steps": HOW.steps,
        "image": Image.fromarray(picture),
    }  # fmt: skip
    return _beside(family, geometry, {0: picture}, scale, pipeline, asked)


def _beside(
    family: VideoFamily, geometry: LatentGeometry, frames: dict[int, Frames], scale: float, pipeline: Any,
    asked: dict[str, Any], time_first: bool = False,
) -> Compared:  # fmt: skip
    start = _noise(family, geometry)
    latents = to_grid(start, geometry.grid)
    asked = asked | {"latents": latents.transpose(1, 2) if time_first else latents}
    theirs = pipeline(**asked, output_type="latent").frames
    cond, uncond = (family.with_picture(family.encode_prompt([text]), frames[0]) for text in (PROMPT, NEGATIVE))
    guidance = ClassifierFree(cond, uncond, scale) if scale > 1 else Unguided(cond)
    made = complete_beside(family, geometry, guidance, frames, HOW)
    return Compared(
        family, geometry, latents, made, theirs.transpose(1, 2) if time_first else theirs,
        lambda: pipeline(**asked, output_type="np").frames[0],
    )  # fmt: skip


CASES: dict[str, Callable[[Path, float], Compared]] = {
    "ltx, first frame": compare_ltx,
    "wan, first frame": compare_wan,
    "wan 2.2, first frame as channels": partial(compare_wan_channels, boundary=0.8, given="channels", last=False),
    "wan 2.1, first frame as channels and tokens": partial(
        compare_wan_channels, boundary=None, given="channels and picture", last=False
    ),
    "wan 2.2, first and last frame": partial(compare_wan_channels, boundary=None, given="channels", last=True),
    "wan vace, a region": compare_wan_vace,
    "cogvideox, first frame": compare_cogvideox,
    "hunyuan_video, first frame": compare_hunyuan_video,
}


def _picture(geometry: LatentGeometry, seed: int) -> Frames:
    shape = (geometry.height, geometry.width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def _compared(
    family: VideoFamily, geometry: LatentGeometry, start: Tensor, condition: Condition, scale: float, theirs: Tensor,
    frames: Callable[[], Any],
) -> Compared:  # fmt: skip
    guidance = ClassifierFree(family.encode_prompt([PROMPT]), family.encode_prompt([NEGATIVE]), scale)
    made = complete(family, geometry, guidance, condition, HOW)
    return Compared(family, geometry, to_grid(start, geometry.grid), made, theirs, frames)


def _as_embeddings(family: VideoFamily) -> dict[str, Any]:
    """Some of Wan's pipelines clean prompts with a package (ftfy) that is not installed."""
    return {
        "prompt": None, "negative_prompt": None, "prompt_embeds": family.encode_prompt([PROMPT]).values,
        "negative_prompt_embeds": family.encode_prompt([NEGATIVE]).values,
    }  # fmt: skip


def _noise(family: VideoFamily, geometry: LatentGeometry) -> Tensor:
    return SeededNoise(HOW.seed, (1, geometry.tokens, family.channels))(INITIAL)


def _asked(scale: float) -> dict[str, Any]:
    return {
        "prompt": PROMPT, "negative_prompt": NEGATIVE, "height": HEIGHT, "width": WIDTH, "num_frames": FRAMES,
        "num_inference_steps": HOW.steps, "guidance_scale": scale,
    }  # fmt: skip
