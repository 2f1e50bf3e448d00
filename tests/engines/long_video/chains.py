"""A film made chunk by chunk: the smallest thing that plan, handover and finished chunks add up to."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engines.backend.families.base import Family
from engines.backend.families.guided import guided_velocity
from engines.conditioning.given import token_sigmas
from engines.long_video.chunk_plan import ChunkPlan
from engines.long_video.finished import FinishedChunks
from engines.long_video.handover import Handover, chunk_condition, chunk_coordinates, chunk_geometry, contributed
from engines.sampling.guidance import ClassifierFree
from engines.sampling.loop import sample
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.schedules import make_schedule
from engines.sampling.solvers import make_solver


def make_chunk(
    family: Family, plan: ChunkPlan, index: int, before: Tensor | None, how: Handover = "latents", steps: int = 2
) -> Tensor:
    """Latents of one chunk of a film of 64 × 64 pixels, seeded by its index."""
    geometry = chunk_geometry(family.geometry(64, 64, plan.window_frames, 24), plan.chunks[index])
    condition = chunk_condition(family, geometry, plan, index, before, how)
    places = chunk_coordinates(family, geometry, plan.chunks[index], condition.given)
    guidance = ClassifierFree(family.encode_prompt(["a fox"]), family.encode_prompt([""]), 3.0)
    levels = make_schedule("model", steps, geometry.tokens, family.scheduler_config)
    sigmas = torch.stack([token_sigmas(condition.given, level) for level in levels])
    noise = SeededNoise(index, condition.values.shape)(INITIAL)
    start = torch.where(condition.is_given[:, None], condition.values, noise)
    velocity = guided_velocity(family, geometry, guidance, places)
    return family.unpack(sample(velocity, start, sigmas, make_solver("euler")), geometry)


def make_film(
    family: Family, plan: ChunkPlan, store: FinishedChunks, after_chunk: Callable[[int], None] = lambda index: None
) -> Tensor:
    """The film's latents; chunks that are finished are not made again."""
    before, parts = None, []
    for chunk in plan.chunks:
        latents = store.read(chunk.index)
        if latents is None:
            latents = make_chunk(family, plan, chunk.index, before)
            store.write(chunk.index, latents)
            after_chunk(chunk.index)
        parts.append(contributed(plan, chunk.index, latents))
        before = latents
    return torch.cat(parts, dim=2)
