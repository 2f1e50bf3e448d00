"""On the bundled tokenizer: latents are handed over to the bit, encoded again they lose; tokens stand in the film."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from engines.backend.families.base import Family, PromptEmbedding, Tokens
from engines.backend.registry import ModelRegistry
from engines.conditioning.condition import grid_of
from engines.conditioning.given import Given, nothing
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import random_scene
from engines.errors import InvalidRequest
from engines.long_video.chained import make_chunk
from engines.long_video.chunk_plan import ChunkPlan
from engines.long_video.handover import chunk_condition, chunk_coordinates, chunk_geometry, contributed, handed_over
from engines.metrics.psnr import latent_psnr
from engines.sampling.site import Site
from tests.engines.long_video.chains import film_of

FRAMES = 49


@cache
def film() -> np.ndarray:
    """A true film in which something moves."""
    return render_scene(random_scene(np.random.default_rng(1), frames=FRAMES)).frames


@pytest.fixture(scope="module")
def family(bundled_model: ModelRegistry) -> Family:
    return bundled_model.load("diorama")


@pytest.fixture(scope="module")
def latents(family: Family) -> torch.Tensor:
    return family.encode(film())


@pytest.fixture(scope="module")
def tiny(tiny_diorama: ModelRegistry) -> Family:
    return tiny_diorama.load("diorama")


def cut_out(plan: ChunkPlan, index: int, latents: torch.Tensor) -> torch.Tensor:
    """The chunk's slots of the film's latents."""
    chunk = plan.chunks[index]
    return latents[:, :, chunk.first_slot : chunk.first_slot + chunk.slots]


@pytest.mark.parametrize("overlap", [4, 8, 16])
def test_latents_are_handed_over_to_the_bit_and_join_to_the_film(
    overlap: int, family: Family, latents: torch.Tensor
) -> None:
    plan = ChunkPlan(FRAMES, 17, overlap)
    parts = [contributed(plan, 0, cut_out(plan, 0, latents))]
    for chunk in plan.chunks[1:]:
        own = cut_out(plan, chunk.index, latents)
        handed = handed_over(family, plan, chunk.index, cut_out(plan, chunk.index - 1, latents))
        assert torch.equal(handed, own[:, :, : chunk.given_slots])
        parts.append(contributed(plan, chunk.index, own))
    assert torch.equal(torch.cat(parts, dim=2), latents)


def test_encoded_again_the_end_of_a_chunk_loses_and_loses_again(family: Family, latents: torch.Tensor) -> None:
    plan = ChunkPlan(21, 17, 16)  # the next chunk is given slots 1 … 4, which make a chunk with any slot before them
    wanted = latents[:, :, 1:5]
    before, psnr = latents[:, :, :5], []
    for _ in range(5):
        handed = handed_over(family, plan, 1, before, "reencode")
        psnr.append(latent_psnr(handed, wanted))
        before = torch.cat([before[:, :, :1], handed], dim=2)
    assert 40 < psnr[0] < 55
    assert psnr == sorted(psnr, reverse=True)
    assert psnr[4] < psnr[0] - 6
    assert torch.equal(handed_over(family, plan, 1, latents[:, :, :5]), wanted)


def test_a_clip_cut_off_at_a_multiple_of_four_has_the_films_slots_but_the_first(
    family: Family, latents: torch.Tensor
) -> None:
    alone = family.encode(film()[16:33])
    assert torch.equal(alone[:, :, 1:], latents[:, :, 5:9])
    assert latent_psnr(alone[:, :, :1], latents[:, :, 4:5]) < 40
    assert torch.equal(alone[:, :, :1], family.encode(film()[16:17]))
    beside = family.encode(film()[17:34])
    assert latent_psnr(beside[:, :, 1:], latents[:, :, 5:9]) < 45


def test_a_clip_of_its_own_is_handed_all_but_the_first_slot(family: Family, latents: torch.Tensor) -> None:
    plan = ChunkPlan(33, 17, 9)
    assert [chunk.first_frame for chunk in plan.chunks] == [0, 8, 16]
    first = latents[:, :, :5]
    handed = handed_over(family, plan, 1, first)
    assert handed.shape[2] == 3
    assert torch.equal(handed[:, :, 1:], first[:, :, 3:])
    decoded = np.concatenate(list(family.decode(first)))
    assert torch.equal(handed[:, :, :1], family.encode(decoded[8:9]))
    again = handed_over(family, plan, 1, first, "reencode")
    assert torch.equal(again[:, :, :1], handed[:, :, :1])
    assert 40 < latent_psnr(again[:, :, 1:], handed[:, :, 1:]) < 55


@pytest.mark.parametrize("overlap", [1, 2, 7, 8, 9])
def test_encoded_again_the_frames_are_those_of_the_plan(overlap: int, family: Family, latents: torch.Tensor) -> None:
    plan = ChunkPlan(33, 17, overlap)
    chunk = plan.chunks[1]
    decoded = np.concatenate(list(family.decode(latents[:, :, :5])))  # numbered as in the film
    handed = handed_over(family, plan, 1, latents[:, :, :5], "reencode")
    assert handed.shape[2] == chunk.given_slots
    if chunk.begins_inside:
        assert torch.equal(handed, family.encode(decoded[chunk.first_frame - 1 :])[:, :, 1:])
    else:
        stop = chunk.first_frame + (chunk.given_slots - 1) * 4 + 1
        assert torch.equal(handed, family.encode(decoded[chunk.first_frame : stop]))


def test_the_end_of_a_chunk_that_begins_inside_is_encoded_again(family: Family, latents: torch.Tensor) -> None:
    plan = ChunkPlan(FRAMES, 17, 8)
    handed = handed_over(family, plan, 2, cut_out(plan, 1, latents), "reencode")
    apart = [latent_psnr(handed, latents[:, :, first : first + 2]) for first in (5, 6, 7)]
    assert plan.chunks[2].first_slot == 6
    assert apart[1] > 40
    assert apart[1] > max(apart[0], apart[2]) + 6


def test_a_window_that_begins_inside_is_not_a_clip(family: Family, latents: torch.Tensor) -> None:
    whole = np.concatenate(list(family.decode(latents)))
    alone = np.concatenate(list(family.decode(latents[:, :, 4:9])))
    assert len(alone) == 17 < ChunkPlan(FRAMES, 17, 4).chunks[1].frames == 20
    apart = np.abs(alone.astype(int) - whole[16:33].astype(int)).mean((1, 2, 3))
    assert apart[0] > 0.05
    assert apart[-4:].max() < 0.01


def test_a_chunks_tokens_stand_where_they_stand_in_the_film(tiny: Family) -> None:
    plan = ChunkPlan(33, 17, 8)
    geometry, chunk = tiny.geometry(64, 64, 33, 24), plan.chunks[2]
    keyed = Given(nothing(grid_of(chunk_geometry(geometry, chunk))).tokens, (30,))
    places = chunk_coordinates(tiny, geometry, chunk, keyed)
    first = chunk.first_slot * 16
    assert torch.equal(places[:, :, :-16], tiny.coordinates(geometry)[:, :, first : first + 80])
    assert places[0, 0, -16:].unique().item() == pytest.approx(30 / 24)
    assert torch.equal(chunk_coordinates(tiny, geometry, plan.chunks[0], keyed)[:, :, :80],
                       tiny.coordinates(chunk_geometry(geometry, plan.chunks[0])))  # fmt: skip


@torch.inference_mode()
def test_the_model_sees_that_a_window_begins_inside_but_not_how_far(family: Family) -> None:
    plan = ChunkPlan(4 * 300 + 1, 17, 4)
    geometry = family.geometry(96, 96, 17, 24)
    tokens = torch.randn(1, geometry.tokens, family.channels, generator=torch.Generator().manual_seed(0))
    prompt: PromptEmbedding = family.encode_prompt(["a fox"])

    def velocity(index: int) -> torch.Tensor:
        places = chunk_coordinates(family, geometry, plan.chunks[index], nothing(grid_of(geometry)))
        return family.velocity(Tokens(tokens, places), torch.full((1, geometry.tokens), 0.7), prompt, Site(0, 0, 0.7))

    begins, inside, far_inside = (velocity(index) for index in (0, 1, len(plan.chunks) - 1))
    assert (far_inside - inside).abs().max() < 1e-3 * inside.abs().max()
    assert (inside - begins).abs().max() > 5e-2 * inside.abs().max()


@pytest.mark.parametrize("overlap", [8, 9])
def test_what_is_given_stays_and_changes_what_is_made(overlap: int, tiny: Family) -> None:
    plan = ChunkPlan(33, 17, overlap)
    film, chunk = film_of(tiny, plan), plan.chunks[1]
    first = make_chunk(film, plan.chunks[0])
    other = first + 0.5
    chunks = [make_chunk(film, chunk, handed_over(tiny, plan, 1, before)) for before in (first, other)]
    given = plan.chunks[1].given_slots
    assert given == (2 if overlap == 8 else 3)
    for before, made in zip((first, other), chunks, strict=True):
        assert torch.equal(made[:, :, :given], handed_over(tiny, plan, 1, before))
    assert (chunks[0][:, :, given:] - chunks[1][:, :, given:]).abs().max() > 1e-3


def test_chunks_that_go_together_are_given_nothing(tiny: Family) -> None:
    plan = ChunkPlan(33, 17, 8, order="together")
    assert not chunk_condition(tiny, tiny.geometry(64, 64, 17, 24), plan, 1, None).given.is_anything


def test_what_cannot_be_handed_over_is_refused(tiny: Family) -> None:
    before = torch.zeros(1, tiny.channels, 5, 4, 4)
    with pytest.raises(InvalidRequest) as refused:
        handed_over(tiny, ChunkPlan(33, 17, 7), 1, before)
    assert refused.value.field == "overlap"
    assert refused.value.fix.startswith("Choose an overlap of 4 frames")
    with pytest.raises(ValueError, match="given nothing"):
        handed_over(tiny, ChunkPlan(33, 17, 8), 0, before)
    with pytest.raises(ValueError, match="has 5 slots, not 4"):
        handed_over(tiny, ChunkPlan(33, 17, 8), 1, before[:, :, :4])
    with pytest.raises(ValueError, match="is missing"):
        chunk_condition(tiny, tiny.geometry(64, 64, 17, 24), ChunkPlan(33, 17, 8), 1, None)
    with pytest.raises(ValueError, match="joined as frames"):
        contributed(ChunkPlan(33, 17, 9), 1, before)
