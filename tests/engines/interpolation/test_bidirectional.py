"""ViBiDSampler: what its steps do with a velocity that is known, and what a model makes between two pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from engines.backend.families.base import Family
from engines.backend.registry import ModelRegistry
from engines.interpolation.bidirectional import BACKWARDS, FORWARDS, LEAST_LEVEL, BothEnds
from engines.interpolation.generated import Between, by_both_ends, by_keyframes
from engines.sampling.loop import sample
from engines.sampling.noise import SeededNoise
from engines.sampling.site import Site

SLOTS, CELLS = 4, 2
HELD = torch.arange(SLOTS * CELLS) < CELLS


def ramp(backwards: bool = False) -> Tensor:
    """A clip whose slots hold their number; turned round, slot s holds SLOTS − s."""
    numbers = [0, *range(1, SLOTS)] if not backwards else [9, *range(SLOTS - 1, 0, -1)]
    return torch.tensor(numbers, dtype=torch.float32).repeat_interleave(CELLS)[None, :, None].expand(1, -1, 3)


def turn(clean: Tensor, backwards: bool) -> Tensor:
    slots = clean.unflatten(1, (SLOTS, -1))
    turned = torch.cat([slots[:, :1], slots[:, 1:].flip(1)], dim=1).flatten(1, 2)
    return torch.where(HELD[:, None], 9.0 if backwards else 0.0, turned)


def knows(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
    """The velocity of a model that knows the clip, each way round."""
    seen.append(at.stage)
    clean = ramp(backwards=at.stage >= BACKWARDS)
    return (x - clean) / sigmas.clamp_min(1e-6)[..., None]


seen: list[int] = []


def test_what_is_known_both_ways_comes_out() -> None:
    seen.clear()
    levels = torch.linspace(1, 0, 9)
    begun = torch.where(HELD[:, None], ramp(), SeededNoise(1, (1, SLOTS * CELLS, 3))(-1))
    sigmas = torch.where(HELD, 0.0, levels[:, None])
    made = sample(knows, begun, sigmas, BothEnds(turn, SLOTS, HELD), SeededNoise(1, (1, SLOTS * CELLS, 3)))
    assert torch.allclose(made, ramp(), atol=1e-4)
    # At the top only backwards, below LEAST_LEVEL only forwards, between them both.
    both = sum(LEAST_LEVEL <= float(level) < 1 for level in levels[:-1])
    assert [seen.count(stage) for stage in (FORWARDS, BACKWARDS)] == [len(levels) - 2, 1 + both]


@pytest.fixture(scope="module")
def family(tiny_diorama: ModelRegistry) -> Family:
    return tiny_diorama.load("diorama")


def between(family: Family, seed: int = 0, **changes: object) -> Between:
    random = np.random.default_rng(4)
    first, last = (random.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(2))
    prompts = [family.encode_prompt([text]) for text in ("a fox slides right", "a fox slides left", "")]
    fields = {"geometry": family.geometry(64, 64, 17, 24), "first": first, "last": last, "steps": 4, "seed": seed}
    fields |= {"said": prompts[0], "said_backwards": prompts[1], "empty": prompts[2], "guidance_scale": 3.0}
    return Between(family, **{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("way", [by_keyframes, by_both_ends])
def test_a_clip_begins_and_ends_with_the_pictures_and_is_the_seeds(way: object, family: Family) -> None:
    assert callable(way)
    asked = between(family)
    made = way(asked)
    assert made.shape == (17, 64, 64, 3)
    assert np.array_equal(made[0], asked.first)
    assert np.array_equal(made[-1], asked.last)
    assert np.array_equal(way(between(family)), made)
    assert not np.array_equal(way(between(family, seed=1))[8], made[8])
    other = between(family, last=asked.first)
    assert not np.array_equal(way(other)[8], made[8])
