"""Our denoising beside diffusers' own LTXPipeline: same weights, embeddings, noise, coordinates and steps.

Shape legend: latents [1, N, C].
"""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.held_out.rendering import FIRST_SEED, bundled, geometry_of, guidance_of, request_for
from benchmarks.shared.report import Report
from benchmarks.shared.timing import interleaved
from engines.backend.families.guided import guided_velocity
from engines.backend.families.ltx import LTXFamily
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import make_solver


def add_time(report: Report, steps: int, pairs: int) -> None:
    """Our denoising against LTXPipeline's, from the same embeddings and noise to latents."""
    spec = held_out_scenes("one thing", 2, FIRST_SEED)[0]
    family, request, geometry = bundled(), request_for(spec), geometry_of(spec)
    coordinates, guidance = family.coordinates(geometry), guidance_of(request)
    start = gaussian_noise((1, geometry.tokens, family.channels), seed=1)
    schedule = uniform(make_schedule("model", steps, geometry.tokens, family.scheduler_config), geometry.tokens)

    def ours() -> torch.Tensor:
        return sample(guided_velocity(family, geometry, guidance), start, schedule, make_solver("euler"))

    pipeline = ltx_pipeline(family, coordinates)

    def theirs() -> torch.Tensor:
        latents: torch.Tensor = pipeline(
            prompt_embeds=guidance.cond.values.to(family.dtype), prompt_attention_mask=guidance.cond.mask,
            negative_prompt_embeds=guidance.uncond.values.to(family.dtype),
            negative_prompt_attention_mask=guidance.uncond.mask,
            height=96, width=96, num_frames=17, frame_rate=24, num_inference_steps=steps,
            guidance_scale=request.guidance_scale, latents=start, output_type="latent",
        ).frames  # fmt: skip
        return latents

    report.number("latents_max_difference", float((ours() - theirs()).abs().max()))
    times = interleaved(ours, theirs, pairs)
    report.number("ratio_vs_diffusers", times.ratio)
    report.number("denoising_seconds", times.seconds)


def ltx_pipeline(family: LTXFamily, coordinates: torch.Tensor) -> Any:
    """diffusers' pipeline around the family's own modules; a hook gives its transformer our coordinates."""
    from diffusers import FlowMatchEulerDiscreteScheduler, LTXPipeline

    def with_coordinates(module: Any, arguments: Any, keywords: dict[str, Any]) -> Any:
        batch = keywords["hidden_states"].shape[0]
        return arguments, {**keywords, "video_coords": coordinates.expand(batch, -1, -1)}

    family.transformer.register_forward_pre_hook(_only_for_pipeline(with_coordinates), with_kwargs=True)
    scheduler = FlowMatchEulerDiscreteScheduler.from_config(dict(family.scheduler_config))
    pipeline = LTXPipeline(scheduler, family.autoencoder, None, None, family.transformer)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _only_for_pipeline(hook: Any) -> Any:
    """Our own calls bring coordinates already."""
    return lambda module, arguments, keywords: (
        None if keywords.get("video_coords") is not None else hook(module, arguments, keywords)
    )
