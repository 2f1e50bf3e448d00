"""Text to video of every family against its diffusers pipeline: equal latents, levels and prompts.

Shapes: latents [B, C, T', H', W'].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engines.backend.families.guided import guided_velocity
from engines.backend.families.video_family import VideoFamily, to_grid
from engines.backend.geometry import LatentGeometry
from engines.backend.loading import load_family
from engines.backend.tiny import card_for, save_tiny_cogvideox, save_tiny_hunyuan_video, save_tiny_ltx, save_tiny_wan
from engines.sampling.guidance import ClassifierFree, Unguided
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import from_scheduler_config, uniform
from engines.sampling.solvers import make_solver

PROMPT, QUOTING, NEGATIVE, STEPS = "a red fox bounces on a green field", 'a sign that says "apple"', "apple", 5
HEIGHT, WIDTH = 64, 96
CPU = torch.device("cpu")
# What LTX-Video's own scheduler_config.json says.
LTX_SCHEDULER = {
    "use_dynamic_shifting": True, "base_shift": 0.95, "max_shift": 2.05, "base_image_seq_len": 1024,
    "max_image_seq_len": 4096, "shift_terminal": 0.1,
}  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """What both made of one request.

    Attributes:
        ours, theirs: Latents. start: The noise both began with.
        frames: The pipeline once more, decoded: float [T, H, W, 3] in 0 … 1.
    """

    family: VideoFamily
    geometry: LatentGeometry
    start: Tensor
    ours: Tensor
    theirs: Tensor
    frames: Callable[[], Any]

    @property
    def error(self) -> float:
        """Largest difference between both."""
        return float((self.ours - self.theirs).abs().max())

    @property
    def moved(self) -> float:
        """Largest difference that the model made to the noise."""
        return float((self.ours - self.start).abs().max())


@dataclass(frozen=True)
class Case:
    """A checkpoint and the pipeline that is asked.

    Attributes:
        model: Whose card holds.
        save: Makes the checkpoint in a folder.
        pipeline: Name of the class in diffusers.
        frames, fps: Of the clip.
        time_first: Whether the pipeline's latents are [B, T', C, H', W'].
        in_tokens: Whether they are [B, N, C].
        our_levels: Whether its scheduler must be given our levels, being another solver.
    """

    model: str
    save: Callable[[Path], Path]
    pipeline: str
    frames: int
    fps: int
    prompt: str = PROMPT
    time_first: bool = False
    in_tokens: bool = False
    our_levels: bool = False
    more: dict[str, Any] = field(default_factory=dict)


CASES: dict[str, Case] = {
    "ltx": Case("ltx_video", save_tiny_ltx, "LTXPipeline", 17, 25, in_tokens=True, more={"frame_rate": 25}),
    "ltx, its own schedule": Case(
        "ltx_video", lambda folder: save_tiny_ltx(folder, LTX_SCHEDULER), "LTXPipeline", 17, 25, in_tokens=True,
        more={"frame_rate": 25},
    ),
    "wan": Case("wan_2_1", save_tiny_wan, "WanPipeline", 17, 16, our_levels=True),
    "wan, two experts": Case(
        "wan_2_1", lambda folder: save_tiny_wan(folder, 0.8), "WanPipeline", 17, 16, our_levels=True
    ),
    "cogvideox": Case("cogvideox_2b", save_tiny_cogvideox, "CogVideoXPipeline", 9, 8, time_first=True),
    "cogvideox, sine positions": Case(
        "cogvideox_2b", lambda folder: save_tiny_cogvideox(folder, False), "CogVideoXPipeline", 9, 8, time_first=True
    ),
    "hunyuan_video": Case("hunyuan_video_1_5", save_tiny_hunyuan_video, "HunyuanVideo15Pipeline", 9, 24),
    "hunyuan_video, quoting": Case(
        "hunyuan_video_1_5", save_tiny_hunyuan_video, "HunyuanVideo15Pipeline", 9, 24, prompt=QUOTING
    ),
}  # fmt: skip


class OurLevels:
    """Gives a pipeline's Euler scheduler our levels: UniPC, which Wan ships with, is another solver."""

    def __init__(self, sigmas: Tensor) -> None:
        from diffusers import FlowMatchEulerDiscreteScheduler

        self.scheduler = FlowMatchEulerDiscreteScheduler()
        self.sigmas = sigmas[:-1].tolist()

    def on(self, pipeline: Any) -> None:
        make = self.scheduler.set_timesteps
        self.scheduler.set_timesteps = lambda *_, device=None, **__: make(sigmas=self.sigmas, device=device)
        pipeline.scheduler = self.scheduler


def quiet_pipeline(name: str, folder: Path) -> Any:
    import diffusers

    pipeline = getattr(diffusers, name).from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def compare(case: Case, folder: Path, scale: float) -> Compared:
    """Both render the case from the same noise.

    Args:
        folder: Where the checkpoint is made.
        scale: Of the guidance; 1 is none.
    """
    case.save(folder)
    family = load_family(card_for(folder, case.model), folder, CPU, torch.float32)
    geometry = family.geometry(HEIGHT, WIDTH, case.frames, case.fps)
    noise = gaussian_noise((1, geometry.tokens, family.channels), seed=3)
    pipeline = quiet_pipeline(case.pipeline, folder)
    arguments: dict[str, Any] = {
        "prompt": case.prompt, "negative_prompt": NEGATIVE, "height": HEIGHT, "width": WIDTH,
        "num_frames": case.frames, "num_inference_steps": STEPS, "latents": _given(case, noise, geometry), **case.more,
    }  # fmt: skip
    if case.pipeline == "HunyuanVideo15Pipeline":
        from diffusers import ClassifierFreeGuidance

        pipeline.guider = ClassifierFreeGuidance(guidance_scale=scale)
    else:
        arguments["guidance_scale"] = scale
    if case.our_levels:
        OurLevels(from_scheduler_config(family.scheduler_config, STEPS, geometry.tokens)).on(pipeline)
    theirs = pipeline(**arguments, output_type="latent").frames
    return Compared(
        family,
        geometry,
        to_grid(noise, geometry.grid),
        to_grid(_sampled(family, geometry, noise, scale, case.prompt), geometry.grid),
        _as_grid(case, theirs, geometry),
        lambda: pipeline(**arguments, output_type="np").frames[0],
    )


def _sampled(family: VideoFamily, geometry: LatentGeometry, noise: Tensor, scale: float, prompt: str) -> Tensor:
    cond, uncond = family.encode_prompt([prompt]), family.encode_prompt([NEGATIVE])
    guidance = ClassifierFree(cond, uncond, scale) if scale > 1 else Unguided(cond)
    schedule = from_scheduler_config(family.scheduler_config, STEPS, geometry.tokens)
    velocity = guided_velocity(family, geometry, guidance)
    return sample(velocity, noise, uniform(schedule, geometry.tokens), make_solver("euler"))


def _given(case: Case, noise: Tensor, geometry: LatentGeometry) -> Tensor:
    if case.in_tokens:
        return noise
    latents = to_grid(noise, geometry.grid)
    return latents.transpose(1, 2) if case.time_first else latents


def _as_grid(case: Case, latents: Tensor, geometry: LatentGeometry) -> Tensor:
    if case.in_tokens:
        return to_grid(latents, geometry.grid)
    return latents.transpose(1, 2) if case.time_first else latents
