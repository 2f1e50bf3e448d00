"""What is given of a clip stays, token for token, and changes what is made beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engines.backend.families.base import Family, LatentGeometry
from engines.backend.families.guided import guided_velocity
from engines.backend.loading import load_family
from engines.backend.tiny import KINDS, save_tiny_diorama
from engines.conditioning.complete import Sampling, complete
from engines.conditioning.condition import Condition, condition_on, grid_of, token_coordinates
from engines.conditioning.given import Given, coordinates, nothing
from engines.errors import InvalidRequest
from engines.sampling.guidance import ClassifierFree
from engines.sampling.loop import sample
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import make_solver
from tests.engines.tiny_models import card_for

HOW = Sampling(steps=3, seed=4)


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    folder = save_tiny_diorama(tmp_path_factory.mktemp("diorama"))
    return load_family(card_for(folder, "diorama"), folder, torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def geometry(family: Family) -> LatentGeometry:
    return family.geometry(64, 64, 17, 24)


def clip(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (17, 64, 64, 3)).astype(np.uint8)


def guidance(family: Family) -> ClassifierFree:
    return ClassifierFree(family.encode_prompt(["a fox"]), family.encode_prompt([""]), 3.0)


def made(family: Family, geometry: LatentGeometry, condition: Condition, how: Sampling = HOW) -> torch.Tensor:
    return complete(family, geometry, guidance(family), condition, how)


def first_frame(geometry: LatentGeometry, keyframes: tuple[int, ...] = ()) -> Given:
    tokens = nothing(grid_of(geometry)).tokens
    tokens[0] = True
    return Given(tokens, keyframes)


def test_with_nothing_given_it_is_plain_sampling(family: Family, geometry: LatentGeometry) -> None:
    condition = condition_on(family, geometry, clip(), nothing(grid_of(geometry)))
    noise = SeededNoise(4, (1, geometry.tokens, family.channels))(INITIAL)
    schedule = uniform(make_schedule("model", 3, geometry.tokens, family.scheduler_config), geometry.tokens)
    plain = sample(guided_velocity(family, geometry, guidance(family)), noise, schedule, make_solver("euler"))
    assert torch.equal(made(family, geometry, condition), family.unpack(plain, geometry))


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_what_is_given_stays_and_changes_the_rest(family: Family, geometry: LatentGeometry, noise: float) -> None:
    how = Sampling(steps=3, seed=4, noise=noise)
    one, other = (condition_on(family, geometry, clip(seed), first_frame(geometry)) for seed in (0, 1))
    latents = [made(family, geometry, condition, how) for condition in (one, other)]
    for condition, made_of_it in zip((one, other), latents, strict=True):
        assert torch.equal(family.pack(made_of_it, geometry).values[:, :16], condition.values[:, :16])
    assert (latents[0][:, :, 1:] - latents[1][:, :, 1:]).abs().max() > 1e-3


def test_a_region_stays(family: Family, geometry: LatentGeometry) -> None:
    given = nothing(grid_of(geometry))
    given.tokens[:, 1:3, :2] = True
    condition = condition_on(family, geometry, clip(), given)
    values = family.pack(made(family, geometry, condition), geometry).values[0]
    whole = family.pack(family.encode(clip()), geometry).values[0]
    inside = given.tokens.flatten()
    assert torch.equal(values[inside], whole[inside])
    assert not torch.isclose(values[~inside], whole[~inside]).all(1).any()


def test_a_keyframe_speaks_from_its_own_time(family: Family, geometry: LatentGeometry) -> None:
    at_nine, at_sixteen = (
        condition_on(family, geometry, np.repeat(clip()[:1], 17, 0), first_frame(geometry, (frame,)))
        for frame in (9, 16)
    )
    assert torch.equal(at_nine.values, at_sixteen.values)
    places = token_coordinates(family, geometry, at_nine.given)
    assert torch.equal(places[0], coordinates(grid_of(geometry), (9,)))
    assert not torch.equal(made(family, geometry, at_nine), made(family, geometry, at_sixteen))


def test_only_what_is_given_is_looked_at(family: Family, geometry: LatentGeometry) -> None:
    given = nothing(grid_of(geometry))
    given.tokens[:2] = True
    other = clip()
    other[5:] = 0
    conditions = [condition_on(family, geometry, frames, given) for frames in (clip(), other)]
    assert torch.equal(conditions[0].values, conditions[1].values)


def test_frames_of_another_size_are_refused(family: Family, geometry: LatentGeometry) -> None:
    with pytest.raises(InvalidRequest, match="Give 17 frames of 64 × 64 pixels"):
        condition_on(family, geometry, clip()[:9], first_frame(geometry))


@pytest.mark.parametrize(("kind", "model"), [("wan", "wan_2_1"), ("cogvideox", "cogvideox_2b")])
def test_a_family_of_one_level_is_helped_out(kind: str, model: str, tmp_path: Path) -> None:
    folder = KINDS[kind](tmp_path)
    family = load_family(card_for(folder, model), folder, torch.device("cpu"), torch.float32)
    geometry = family.geometry(32, 32, 9, 8)
    frames = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3)).astype(np.uint8)
    condition = condition_on(family, geometry, frames, first_frame(geometry))
    latents = made(family, geometry, condition)
    assert torch.equal(family.pack(latents, geometry).values[:, :16], condition.values[:, :16])
    free = made(family, geometry, condition_on(family, geometry, frames, nothing(grid_of(geometry))))
    assert (latents[:, :, 1:] - free[:, :, 1:]).abs().max() > 1e-4
    with pytest.raises(ValueError, match="do not fill a grid"):
        made(family, geometry, condition_on(family, geometry, frames, first_frame(geometry, (8,))))
