"""Makes what is not given of a clip: one loop, with a noise level for each token.

What is given stands at σ = 0 (or a little above) from the first step to the last, so the model sees it clean beside
what is still noise (paper rows 16, 21, 24), and arithmetic leaves it as it is.
Shape legend: M tokens, the keyframes' included; N of the grid; D channels of a token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engines.backend.families.base import Family, LatentGeometry, PromptEmbedding
from engines.backend.families.guided import guided_velocity
from engines.conditioning.condition import Condition, token_coordinates
from engines.conditioning.given import token_sigmas
from engines.sampling.guidance import Guidance
from engines.sampling.loop import Step, Velocity, sample
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.one_level import at_one_level
from engines.sampling.schedules import make_schedule
from engines.sampling.solvers import make_solver


@dataclass(frozen=True)
class Sampling:
    """How it is sampled.

    Attributes:
        noise: σ of what is given, 0 … 1: above 0 it is followed less closely (row 42).
        replacement: The model is not told what is given: that is noised like the rest and put in its place at every
            step. What is left for families that take one noise level per clip, and a baseline for the others.
    """

    steps: int = 20
    seed: int = 0
    solver: str = "euler"
    schedule: str = "model"
    noise: float = 0.0
    replacement: bool = False


def complete(
    family: Family,
    geometry: LatentGeometry,
    guidance: Guidance[PromptEmbedding],
    condition: Condition,
    how: Sampling,
    on_step: Callable[[Step], None] | None = None,
) -> Tensor:
    """The clip's latents, float32 [1, C, T', H', W'], with what was given in them.

    A family that takes one noise level per clip is helped out by replacement (engines.sampling.one_level).

    Args:
        on_step: Called after every step; what it raises ends the run.

    Raises: ValueError for keyframes and a family that takes no tokens beyond the grid.
    """
    levels = make_schedule(how.schedule, how.steps, geometry.tokens, family.scheduler_config)
    sigmas = torch.stack([token_sigmas(condition.given, level, how.noise) for level in levels])
    source = SeededNoise(how.seed, condition.values.shape, family.device)
    noise, values = source(INITIAL), condition.values.to(family.device)
    known = condition.is_given.to(family.device)[:, None]
    start = torch.where(known, (1 - how.noise) * values + how.noise * noise, noise)
    velocity: Velocity = guided_velocity(
        family, geometry, guidance, token_coordinates(family, geometry, condition.given)
    )
    if how.replacement or family.timestep_granularity == "sample":
        velocity = at_one_level(velocity, noise)
    made = sample(velocity, start, sigmas, make_solver(how.solver), source, on_step)
    return family.unpack(torch.where(known, values, made)[:, : geometry.tokens], geometry)
