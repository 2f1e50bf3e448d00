"""Every way to make a film, on a tiny model: what it promises, and that a kill anywhere leaves no trace."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engines.backend.families.base import Family
from engines.backend.registry import ModelRegistry
from engines.errors import InvalidRequest, LimitExceeded, NotAvailable
from engines.long_video.chained import make_chain
from engines.long_video.choice import chosen_method, plan_film
from engines.long_video.chunk_plan import ChunkPlan
from engines.long_video.decoding import decoded_film
from engines.long_video.film import Film, Progress
from engines.long_video.finished import FinishedChunks, KeptSteps
from engines.long_video.methods import AT_ONCE, METHODS, LongMethod, make_film, refuse_at_once
from engines.long_video.rolling import Staircase
from engines.long_video.side_by_side import averaged, cut_at_random, film_velocity, repeated_noise
from engines.sampling.site import Site
from tests.engines.long_video.chains import film_of

FRAMES = 45  # of 12 slots
REQUEST = {"prompt": "a fox"}


class Killed(BaseException):
    """No engine catches it."""


@pytest.fixture(scope="module")
def family(tiny_diorama: ModelRegistry) -> Family:
    return tiny_diorama.load("diorama")


def long_film(family: Family, method: LongMethod, steps: int = 4, overlap: int = 8) -> Film:
    return film_of(family, plan_film(method, FRAMES, 17, overlap, 4), steps=steps)


@pytest.mark.parametrize("method", METHODS)
def test_a_film_is_as_long_as_planned_and_counts_what_it_takes(
    method: LongMethod, family: Family, tmp_path: Path
) -> None:
    film, seen = long_film(family, method), list[Progress]()
    film.on_progress = seen.append
    latents = make_film(method, film, tmp_path, REQUEST)
    assert latents.shape == (1, family.channels, 12, 4, 4)
    assert torch.isfinite(latents).all()
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen) or method == "streaming"
    assert seen[-1].done == seen[-1].total
    assert film.evaluations >= 2 * 4 * (1 if method in AT_ONCE else 2)
    assert torch.equal(make_film(method, long_film(family, method), tmp_path / "again", REQUEST), latents)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("after", [1, 5, 9])
def test_killed_at_any_step_it_comes_out_the_same_to_the_bit(
    method: LongMethod, after: int, family: Family, tmp_path: Path
) -> None:
    whole = make_film(method, long_film(family, method), tmp_path / "whole", REQUEST)

    def kill(progress: Progress) -> None:
        count[0] += 1
        if count[0] == after:
            raise Killed

    count, film = [0], long_film(family, method)
    film.on_progress = kill
    if method in (*AT_ONCE, "averaged") and after > 4:
        return  # they have four steps
    with pytest.raises(Killed):
        make_film(method, film, tmp_path, REQUEST)
    film = long_film(family, method)
    film.on_progress = lambda progress: count.__setitem__(0, count[0] + 1)
    assert torch.equal(make_film(method, film, tmp_path, REQUEST), whole)


@pytest.mark.parametrize("method", ["chained", "streaming", "rolling"])
def test_what_is_on_the_disk_is_not_made_again(method: LongMethod, family: Family, tmp_path: Path) -> None:
    whole = make_film(method, long_film(family, method), tmp_path, REQUEST)
    film = long_film(family, method)
    assert torch.equal(make_film(method, film, tmp_path, REQUEST), whole)
    assert film.evaluations == 0


def test_an_anchor_changes_later_chunks_alone(family: Family, tmp_path: Path) -> None:
    films = [
        make_chain(film, FinishedChunks(tmp_path / name, film.plan, {}, ""), anchored)
        for name, anchored, film in (
            ("a", False, long_film(family, "chained")),
            ("b", True, long_film(family, "chained")),
        )
    ]
    assert torch.equal(films[0][:, :, :5], films[1][:, :, :5])
    assert (films[0][:, :, 5:] - films[1][:, :, 5:]).abs().max() > 1e-4


@pytest.mark.parametrize("method", METHODS)
def test_what_a_film_begins_with_stays_and_speaks(method: LongMethod, family: Family, tmp_path: Path) -> None:
    films = []
    for value in (0.5, -0.5):
        film = long_film(family, method)
        film.given = torch.full((1, family.channels, 1, 4, 4), value)
        films.append(make_film(method, film, tmp_path / str(value), {}))
        assert torch.equal(films[-1][:, :, :1], film.given)
    assert (films[0][:, :, 1:] - films[1][:, :, 1:]).abs().max() > 1e-3


def test_a_keyframe_speaks_in_its_own_chunk_and_those_after(family: Family, tmp_path: Path) -> None:
    films = []
    for value in (None, 0.5, -0.5):
        film = long_film(family, "chained")
        if value is not None:
            film.keyframes = {20: torch.full((1, family.channels, 1, 4, 4), value)}
        films.append(make_film("chained", film, tmp_path / str(value), {}))
    assert torch.equal(films[0][:, :, :5], films[1][:, :, :5])
    for one, other in ((0, 1), (1, 2)):
        assert (films[one][:, :, 5:8] - films[other][:, :, 5:8]).abs().max() > 1e-4


def test_chunks_without_overlap_know_nothing_of_each_other(family: Family, tmp_path: Path) -> None:
    film = film_of(family, plan_film("chained", 41, 17, 0, 4))
    latents = make_film("chained", film, tmp_path, {})
    assert latents.shape[2] == 11


@pytest.mark.parametrize("overlap", [4, 8, 16])
def test_shares_of_a_slot_add_up_to_one(overlap: int) -> None:
    plan = ChunkPlan(61, 17, overlap, order="together")
    for shares in (averaged(plan), cut_at_random(plan, 5)):
        for interval in range(4):
            total = torch.zeros(plan.film_slots)
            for chunk, share in zip(plan.chunks, shares(Site(interval, 0, 0.5)), strict=True):
                total[chunk.first_slot : chunk.first_slot + chunk.slots] += share
            assert torch.allclose(total, torch.ones(plan.film_slots))


def test_cuts_wander_from_step_to_step_and_are_the_seeds() -> None:
    plan = ChunkPlan(61, 17, 8, order="together")

    def cuts(seed: int) -> list[list[float]]:
        return [cut_at_random(plan, seed)(Site(interval, 0, 0.5))[0].tolist() for interval in range(8)]

    assert len({tuple(cut) for cut in cuts(1)}) > 1
    assert cuts(1) == cuts(1) != cuts(2)


def test_one_window_alone_speaks_as_the_model(family: Family) -> None:
    film = film_of(family, plan_film("averaged", 17, 17, 8, 4))
    x = film.noise(5)
    sigmas, at = torch.full((1, x.shape[1]), 0.7), Site(0, 0, 0.7)
    whole = film_velocity(film, averaged(film.plan))(x, sigmas, at)
    assert torch.allclose(whole, film.velocity(range(5), 0)(x, sigmas, at), atol=1e-6)


def test_where_windows_do_not_overlap_each_speaks_for_itself(family: Family) -> None:
    film = film_of(family, plan_film("averaged", FRAMES, 17, 8, 4))
    x = film.noise(12)
    sigmas, at = torch.full((1, x.shape[1]), 0.7), Site(0, 0, 0.7)
    whole = film_velocity(film, averaged(film.plan))(x, sigmas, at)
    own = film.velocity(range(5), 0)(x[:, : 5 * film.cells], sigmas[:, : 5 * film.cells], at)
    assert torch.allclose(whole[:, : 3 * film.cells], own[:, : 3 * film.cells], atol=1e-5)
    assert (whole[:, 3 * film.cells : 5 * film.cells] - own[:, 3 * film.cells :]).abs().max() > 1e-3


def test_the_stairs_lead_every_slot_through_all_levels() -> None:
    levels = torch.linspace(1, 0, 13)
    stairs = Staircase(levels, 4)
    path = stairs.path(4)
    assert stairs.steps == 3
    assert path[0].tolist() == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert path[-1].tolist() == pytest.approx([0.0, 0.25, 0.5, 0.75])
    assert torch.equal(stairs.path(2), path[:, :2])


def test_repeated_noise_holds_each_slots_noise_of_the_first_window(family: Family) -> None:
    film = film_of(family, plan_film("averaged", FRAMES, 17, 8, 4))
    noise = repeated_noise(film, 5).unflatten(1, (12, film.cells))
    assert torch.equal(noise[:, :5].flatten(1, 2), film.noise(5))
    for slot in range(5, 12):
        assert any(torch.equal(noise[:, slot], noise[:, first]) for first in range(5))


def test_a_films_noise_is_no_other_seeds(family: Family) -> None:
    plan = plan_film("chained", FRAMES, 17, 8, 4)
    ours, theirs = film_of(family, plan, seed=3), film_of(family, plan, seed=4)
    assert not torch.equal(ours.noise(5, 1), theirs.noise(5, 0))
    assert torch.equal(ours.noise(5, 1), film_of(family, plan, seed=3).noise(5, 1))


def test_parts_are_decoded_as_the_whole(bundled_model: ModelRegistry) -> None:
    real = bundled_model.load("diorama")
    latents = torch.randn(1, real.channels, 30, 2, 2, generator=torch.Generator().manual_seed(1))
    whole = torch.cat([torch.from_numpy(frames) for frames in real.decode(latents)])
    parts = torch.cat([torch.from_numpy(frames) for frames in decoded_film(real, latents, part=7)])
    assert parts.shape == whole.shape == (117, 32, 32, 3)
    assert (parts.int() - whole.int()).abs().max() <= 1


def test_steps_of_another_film_are_ignored(tmp_path: Path) -> None:
    plan = ChunkPlan(FRAMES, 17, 8)
    store = KeptSteps(tmp_path, plan, REQUEST, "a")
    store.write(3, torch.ones(1, 4, 2))
    found = store.read()
    assert found is not None
    assert found[0] == 3
    assert torch.equal(found[1], torch.ones(1, 4, 2))
    assert KeptSteps(tmp_path, plan, REQUEST, "b").read() is None
    assert KeptSteps(tmp_path, plan, REQUEST, "a", name="refining").read() is None


def test_what_cannot_be_made_is_refused_with_a_way_out(family: Family) -> None:
    with pytest.raises(LimitExceeded, match="whole film") as refused:
        refuse_at_once("spectral", 9000, 8192, "Diorama")
    assert "“streaming”" in (refused.value.fix or "")
    refuse_at_once("chained", 9000, 8192, "Diorama")
    with pytest.raises(InvalidRequest, match="overlap of 7") as odd:
        plan_film("chained", 65, 17, 7, 4)
    assert odd.value.fix == "Choose an overlap of 4 or 8 frames."
    assert odd.value.field == "overlap"
    assert chosen_method("automatic", family.card) in METHODS
    whole_clip = family.card.model_copy(
        update={"facts": family.card.facts.model_copy(update={"timestep_granularity": "sample"})}
    )
    assert chosen_method("automatic", whole_clip) == "averaged"
    with pytest.raises(NotAvailable, match="one noise level"):
        chosen_method("rolling", whole_clip)
