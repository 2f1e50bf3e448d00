"""A short render of any family, for its golden file."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from engines.backend.families.base import Family
from engines.context import RunContext
from engines.text_to_video.render import encode_prompts, sample_take
from engines.text_to_video.request import TextToVideoRequest


def short_render(family: Family, folder: Path) -> dict[str, Tensor]:
    """Latents of 64 × 64 × 9 after four guided Heun steps."""
    request = TextToVideoRequest(
        prompt="a red fox bounces on a beach", width=64, height=64, frames=9, steps=4, solver="heun", seed=11
    )
    geometry = family.geometry(request.height, request.width, request.frames, request.fps)
    take = sample_take(family, request, geometry, encode_prompts(family, request), request.seed, RunContext(folder))
    return {"latents": take.latents}
