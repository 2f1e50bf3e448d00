"""A clip between two pictures, made by a model: for motion too large for optical flow.

Shape legend: T frames, H rows, W columns; tokens float32 [1, N, D].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engines.backend.families.base import Family, Frames, PromptEmbedding
from engines.backend.families.guided import guided_velocity
from engines.backend.geometry import LatentGeometry
from engines.conditioning.complete import Sampling, complete
from engines.conditioning.condition import condition_on, grid_of
from engines.conditioning.given import Given, nothing
from engines.interpolation.bidirectional import (
    BACKWARDS,
    BACKWARDS_UNSAID,
    FORWARDS,
    FORWARDS_UNSAID,
    BothEnds,
    by_stage,
)
from engines.interpolation.shared_parts import with_shared_parts
from engines.sampling.guidance import ClassifierFree, Unguided
from engines.sampling.loop import Step, Velocity, sample
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.schedules import make_schedule


@dataclass(frozen=True)
class Between:
    """One clip to make.

    Attributes:
        first, last: uint8 [H, W, 3], its first and its last frame.
        said: What happens, and `said_backwards`: the same seen backwards; empty: nothing.
        on_step: Called after every step; what it raises ends the run.
    """

    family: Family
    geometry: LatentGeometry
    first: Frames
    last: Frames
    said: PromptEmbedding
    said_backwards: PromptEmbedding
    empty: PromptEmbedding
    steps: int
    guidance_scale: float
    seed: int
    on_step: Callable[[Step], None] | None = None


def by_keyframes(between: Between) -> Frames:
    """Both pictures as tokens that the model was trained to be given, uint8 [T, H, W, 3]."""
    geometry, family = between.geometry, between.family
    frames = np.repeat(between.first[None], geometry.frames, axis=0)
    frames[-1] = between.last
    given = nothing(grid_of(geometry))
    given.tokens[0] = True
    condition = condition_on(family, geometry, frames, Given(given.tokens, (geometry.frames - 1,)))
    guidance = ClassifierFree(between.said, between.empty, between.guidance_scale)
    how = Sampling(steps=between.steps, seed=between.seed)
    return _with_ends(between, _decoded(family, complete(family, geometry, guidance, condition, how, between.on_step)))


def by_both_ends(between: Between) -> Frames:
    """ViBiDSampler with the first picture as the only thing that the model is given, uint8 [T, H, W, 3]."""
    family, geometry = between.family, between.geometry
    cells = geometry.latent_height * geometry.latent_width
    held = torch.zeros(geometry.tokens, dtype=torch.bool, device=family.device)
    held[:cells] = True
    levels = make_schedule("model", between.steps, geometry.tokens, dict(family.scheduler_config))
    source = SeededNoise(between.seed, (1, geometry.tokens, family.channels), family.device)
    first = family.pack(family.encode(between.first[None]), _picture(geometry)).values.to(family.device)
    begun = torch.cat([first, source(INITIAL)[:, cells:]], dim=1)
    solver = BothEnds(_turning(between), geometry.latent_frames, held)
    sigmas = torch.where(held, 0.0, levels[:, None].to(family.device))
    made = sample(by_stage(_velocities(between)), begun, sigmas, solver, source, between.on_step)
    return _with_ends(between, _decoded(family, family.unpack(made, geometry)))


def _velocities(between: Between) -> dict[int, Velocity]:
    def asked(prompt: PromptEmbedding) -> Velocity:
        return guided_velocity(between.family, between.geometry, Unguided(prompt))

    unsaid = asked(between.empty)
    return {
        FORWARDS: asked(between.said), FORWARDS_UNSAID: unsaid,
        BACKWARDS: asked(between.said_backwards), BACKWARDS_UNSAID: unsaid,
    }  # fmt: skip


def _turning(between: Between) -> Callable[[Tensor, bool], Tensor]:
    family, geometry = between.family, between.geometry

    def turn(clean: Tensor, backwards: bool) -> Tensor:
        far = between.last if backwards else between.first
        frames = _decoded(family, family.unpack(clean, geometry)).copy()
        frames[-1] = far
        return family.pack(family.encode(np.ascontiguousarray(frames[::-1])), geometry).values.to(clean)

    return turn


def _with_ends(between: Between, frames: Frames) -> Frames:
    """The pictures at both ends, and wherever they share something and the model does not see it pass."""
    frames = with_shared_parts(frames, between.first, between.last)
    frames[0], frames[-1] = between.first, between.last
    return frames


def _decoded(family: Family, latents: Tensor) -> Frames:
    return np.concatenate(list(family.decode(latents)))


def _picture(geometry: LatentGeometry) -> LatentGeometry:
    return LatentGeometry(**{**geometry.__dict__, "latent_frames": 1, "frames": 1})


WAYS: dict[str, Callable[[Between], Frames]] = {"keyframes": by_keyframes, "both ends": by_both_ends}
