"""Clips around given frames for models that take them as channels beside the latents: Wan I2V, CogVideoX, HunyuanVideo.

Shape legend: N tokens of the grid, E channels beside each.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from engines.backend.families.base import Family, Frames, LatentGeometry, PromptEmbedding
from engines.backend.families.guided import guided_velocity
from engines.conditioning.complete import Sampling
from engines.sampling.guidance import Guidance
from engines.sampling.loop import sample
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import make_solver


def complete_beside(
    family: Family,
    geometry: LatentGeometry,
    guidance: Guidance[PromptEmbedding],
    frames: Mapping[int, Frames],
    how: Sampling,
) -> Tensor:
    """The clip's latents, float32 [1, C, T', H', W']. What was given is followed, not repeated to the bit.

    Args:
        guidance: Its prompts bring the picture along where the model has an image encoder (`Family.with_picture`).
        frames: Number → uint8 [H, W, 3].

    Raises: ValueError for a model that takes no channels, or not these frames.
    """
    return sample_beside(family, geometry, guidance, family.beside(geometry, frames), how)


def sample_beside(
    family: Family, geometry: LatentGeometry, guidance: Guidance[PromptEmbedding], beside: Tensor, how: Sampling
) -> Tensor:
    """The same beside channels float32 [1, N, E] that the family laid out."""
    levels = uniform(make_schedule(how.schedule, how.steps, geometry.tokens, family.scheduler_config), geometry.tokens)
    source = SeededNoise(how.seed, (1, geometry.tokens, family.channels), family.device)
    velocity = guided_velocity(family, geometry, guidance, beside=beside.to(family.device))
    return family.unpack(sample(velocity, source(INITIAL), levels, make_solver(how.solver), source), geometry)
