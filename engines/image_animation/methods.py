"""Ways to sample a clip around the picture that it begins with.

Shape legend: M tokens, those beside the grid included; N tokens of the grid; D channels; T frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engines.backend.families.base import Family, PromptEmbedding
from engines.backend.families.guided import guided_velocity
from engines.backend.geometry import LatentGeometry
from engines.conditioning.condition import Condition, condition_on, grid_of, token_coordinates
from engines.conditioning.given import Given, nothing, token_sigmas
from engines.footage.framing import Picture
from engines.image_animation.motion import (
    analytic_start,
    anchored,
    jointly_guided,
    noisily_given,
    start_level,
    unseen,
)
from engines.image_animation.request import Method
from engines.sampling.guidance import ClassifierFree, Unguided
from engines.sampling.loop import Step, Velocity, sample
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.one_level import at_one_level
from engines.sampling.schedules import make_schedule
from engines.sampling.solvers import Euler

# I2V-Adapter (Guo et al. 2023, arXiv:2312.16693), section 3.4: the level to which the picture is noised for all frames.
PRIOR_LEVEL = 0.95


@dataclass(frozen=True)
class Animation:
    """One clip to make.

    Attributes:
        first: uint8 [H, W, 3], in the clip's size. keyframes: Number of a frame → the picture that stands there.
        said, empty: The prompt, and nothing.
        movement: −1 (kept) … 1 (let move).
        on_step: Called after every step; what it raises ends the run.
    """

    family: Family
    geometry: LatentGeometry
    first: Picture
    keyframes: Mapping[int, Picture]
    said: PromptEmbedding
    empty: PromptEmbedding
    method: Method
    movement: float
    steps: int
    guidance_scale: float
    seed: int
    on_step: Callable[[Step], None] | None = None

    @property
    def condition(self) -> Condition:
        """The picture as the first slot, keyframes as tokens of their own."""
        frames = np.repeat(self.first[None], self.geometry.frames, axis=0)
        given = nothing(grid_of(self.geometry))
        given.tokens[0] = True
        for number, picture in self.keyframes.items():
            frames[number] = picture
        return condition_on(self.family, self.geometry, frames, Given(given.tokens, tuple(sorted(self.keyframes))))

    def still(self) -> Tensor:
        """Tokens of the picture standing still for the whole clip, [1, N, D]."""
        frames = np.repeat(self.first[None], self.geometry.frames, axis=0)
        return self.family.pack(self.family.encode(frames), self.geometry).values


def animate(animation: Animation) -> Tensor:
    """The clip's latents, float32 [1, C, T', H', W'], with the picture in them."""
    family, geometry, condition = animation.family, animation.geometry, animation.condition
    source = SeededNoise(animation.seed, condition.values.shape, family.device)
    noise, values = source(INITIAL), condition.values.to(family.device)
    known = condition.is_given.to(family.device)
    highest = PRIOR_LEVEL if animation.method == "picture prior" else start_level(animation.movement)
    levels = make_schedule("model", animation.steps, geometry.tokens, dict(family.scheduler_config)) * highest
    start = _begun(animation, noise, highest)
    velocity = _velocity(animation, condition, noise)
    sigmas = torch.stack([token_sigmas(condition.given, level) for level in levels])
    made = sample(velocity, torch.where(known[:, None], values, start), sigmas, Euler(), source, animation.on_step)
    return family.unpack(torch.where(known[:, None], values, made)[:, : geometry.tokens], geometry)


def _begun(animation: Animation, noise: Tensor, level: float) -> Tensor:
    if animation.method != "picture prior":
        return analytic_start(noise, level)
    begun, still = noise.clone(), animation.still().to(noise)
    begun[:, : still.shape[1]] = (1 - level) * still + level * noise[:, : still.shape[1]]
    return begun


def _velocity(animation: Animation, condition: Condition, noise: Tensor) -> Velocity:
    """The model's answer: what it is shown, how it is guided, and what it is drawn to."""
    given, scale = condition.is_given.to(noise.device), animation.guidance_scale
    one_level = animation.method == "replacement" or animation.family.timestep_granularity == "sample"

    def asked(guidance: ClassifierFree[PromptEmbedding] | Unguided[PromptEmbedding], shown: bool = True) -> Velocity:
        coordinates = token_coordinates(animation.family, animation.geometry, condition.given)
        velocity: Velocity = guided_velocity(animation.family, animation.geometry, guidance, coordinates)
        if one_level:
            velocity = at_one_level(velocity, noise)
        if not shown:
            return unseen(velocity, given, noise)
        if animation.movement > 0 and not one_level:
            return noisily_given(velocity, given, noise, animation.movement)
        return velocity

    if scale == 1:
        velocity = asked(Unguided(animation.said))
    elif animation.method == "joint guidance":
        of_nothing = asked(Unguided(animation.empty), shown=False)
        velocity = jointly_guided(asked(Unguided(animation.said)), of_nothing, scale)
    else:
        velocity = asked(ClassifierFree(animation.said, animation.empty, scale))
    if animation.movement < 0:
        velocity = anchored(velocity, animation.still(), animation.geometry.latent_frames, -animation.movement)
    return velocity
