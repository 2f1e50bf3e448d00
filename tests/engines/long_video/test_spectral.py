"""SpectralBlend: each branch alone at its limits, and what lies between."""

from __future__ import annotations

import math

import pytest
import torch

from engines.backend.attention.calls import AttentionInputs, attend
from engines.backend.families.base import Family, Tokens
from engines.backend.registry import ModelRegistry
from engines.long_video.choice import plan_film
from engines.long_video.spectral import SpectralBlend, blended, low_pass, within_window
from engines.sampling.site import Site
from tests.engines.long_video.chains import film_of

SLOTS, CELLS, WINDOW = 8, 6, 5


def drawn(seed: int) -> AttentionInputs:
    generator = torch.Generator().manual_seed(seed)
    query, key, value = (torch.randn(2, SLOTS * CELLS, 3, 4, generator=generator) for _ in range(3))
    return AttentionInputs(query, key, value, None)


def test_near_attention_is_dense_attention_under_a_mask() -> None:
    inputs = drawn(1)
    mask = torch.full((SLOTS, SLOTS), -math.inf)
    for slot in range(SLOTS):
        first = min(max(0, slot - WINDOW // 2), SLOTS - WINDOW)
        mask[slot, first : first + WINDOW] = 0
    dense = mask.repeat_interleave(CELLS, 0).repeat_interleave(CELLS, 1)
    wanted = attend(AttentionInputs(inputs.query, inputs.key, inputs.value, dense))
    assert torch.allclose(within_window(inputs, SLOTS, WINDOW), wanted, atol=1e-6)


def test_the_low_pass_keeps_what_stands_still_and_at_infinity_all() -> None:
    keep = low_pass((8, 2, 3), 0.25, 0.25)
    assert keep[0, 0, 0] == 1
    assert keep[1, 0, 0] == pytest.approx(math.exp(-0.5))
    assert keep[4, 0, 0] == pytest.approx(math.exp(-8), rel=1e-4)
    assert torch.equal(low_pass((8, 2, 3), math.inf, math.inf), torch.ones(8, 2, 3))
    in_time = low_pass((8, 2, 3), 0.25, math.inf)
    assert torch.equal(in_time, in_time[:, :1, :1].expand(8, 2, 3))


def test_all_or_nothing_of_the_frequencies_gives_one_or_the_other() -> None:
    low, high = drawn(2).query, drawn(3).query
    everything = torch.ones(SLOTS, 2, 3)
    assert torch.allclose(blended(low, high, everything), low, atol=1e-5)
    assert torch.allclose(blended(low, high, 0 * everything), high, atol=1e-5)
    mixed = blended(low, high, low_pass((SLOTS, 2, 3), 0.25, math.inf))
    in_time = [part.unflatten(1, (SLOTS, CELLS)).mean(1) for part in (mixed, low)]
    assert torch.allclose(*in_time, atol=1e-5)  # what stands still is the whole film's
    assert not torch.allclose(mixed, low, atol=1e-2)


@pytest.fixture(scope="module")
def family(tiny_diorama: ModelRegistry) -> Family:
    return tiny_diorama.load("diorama")


def test_a_model_answers_otherwise_and_a_short_clip_as_ever(family: Family) -> None:
    for frames, changes in ((45, True), (17, False)):
        film = film_of(family, plan_film("spectral", frames, 17, 8, 4))
        slots = film.plan.film_slots
        x, prompt = film.noise(slots), family.encode_prompt(["a fox"])
        tokens = Tokens(x, film.coordinates(range(slots)), film.geometry.grid)
        sigmas, at = torch.full((1, x.shape[1]), 0.8), Site(0, 0, 0.8)
        plain = family.velocity(tokens, sigmas, prompt, at)
        with family.attention(SpectralBlend(family, family.places(film.geometry), 5)):
            blend = family.velocity(tokens, sigmas, prompt, at)
        assert ((blend - plain).abs().max() > 1e-3) == changes


def test_at_low_levels_and_with_no_cutoff_the_window_alone_speaks(family: Family) -> None:
    film = film_of(family, plan_film("spectral", 45, 17, 8, 4))
    places = family.places(film.geometry)
    x, prompt = film.noise(12), family.encode_prompt(["a fox"])
    tokens = Tokens(x, film.coordinates(range(12)), film.geometry.grid)
    answers = []
    for sigma, cutoff in ((0.8, 0.0), (0.8, 0.25), (0.2, 0.0), (0.2, 0.25)):
        with family.attention(SpectralBlend(family, places, 5, time_cutoff=cutoff)):
            answers.append(family.velocity(tokens, torch.full((1, x.shape[1]), sigma), prompt, Site(0, 0, sigma)))
    assert not torch.allclose(answers[0], answers[1], atol=1e-3)
    assert torch.equal(answers[2], answers[3])
