"""Several prompts in one take: who is heard where, and what a window takes over from the one before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engines.backend.families.base import Family, PromptEmbedding, Tokens
from engines.backend.registry import ModelRegistry
from engines.long_video.choice import plan_film
from engines.long_video.continuous import KeysOfTheWindowBefore, Said, guidance_by_slots, make_continuous, mixed
from engines.long_video.film import Film
from engines.long_video.finished import KeptSteps
from engines.sampling.guidance import ClassifierFree, Unguided
from engines.sampling.site import Site
from tests.engines.long_video.chains import film_of

FOX, CAT = range(6), range(6, 12)


@pytest.fixture(scope="module")
def family(tiny_diorama: ModelRegistry) -> Family:
    return tiny_diorama.load("diorama")


def prompt(value: float, real: int) -> PromptEmbedding:
    return PromptEmbedding(torch.full((1, 4, 2), value), (torch.arange(4) < real).float()[None])


def take(family: Family, second: str = "a cat", **changes: object) -> Film:
    said = [
        Said(slots, family.encode_prompt([text]), family.encode_prompt([""]))
        for slots, text in ((FOX, "a fox"), (CAT, second))
    ]
    return film_of(
        family, plan_film("averaged", 45, 17, 8, 4), steps=8, guidance_of=guidance_by_slots(said, 3.0), **changes
    )


def test_prompts_are_mixed_by_the_slots_they_speak_in() -> None:
    one, other = prompt(1.0, 2), prompt(3.0, 3)
    both = mixed([one, other], [0.25, 0.75])
    assert torch.equal(both.values, torch.full((1, 4, 2), 2.5))
    assert both.mask.tolist() == [[1, 1, 1, 0]]
    assert mixed([one, other], [0.0, 1.0]) is other
    guidance = guidance_by_slots([Said(FOX, one, prompt(0, 1)), Said(CAT, other, prompt(9, 1))], 4.0)
    assert isinstance(guidance(range(5)), ClassifierFree)
    assert guidance(range(5)).branches(0.5)[1].prompt is one
    over = guidance(range(4, 9)).branches(0.5)
    assert torch.allclose(over[1].prompt.values, torch.full((1, 4, 2), 0.4 * 1 + 0.6 * 3))
    assert over[0].prompt.values.max() == 9  # the negative of the one most heard
    assert isinstance(guidance_by_slots([Said(FOX, one, None)], 4.0)(range(5)), Unguided)


@pytest.mark.parametrize("share_keys", [False, True])
def test_a_later_prompt_changes_later_slots(share_keys: bool, family: Family, tmp_path: Path) -> None:
    films = []
    for second in ("a cat", "a robot"):
        film = take(family, second)
        films.append(make_continuous(film, KeptSteps(tmp_path / second, film.plan, {}, ""), share_keys))
    assert films[0].shape[2] == 12
    apart = (films[0] - films[1]).abs().amax((0, 1, 3, 4))
    assert apart[8:].min() > 1e-3
    assert apart[:3].max() < 0.2 * apart[8:].min()  # they hear of it through the slots that windows share


def test_shared_keys_change_all_windows_but_the_first(family: Family, tmp_path: Path) -> None:
    films = []
    for share in (False, True):
        film = take(family)
        films.append(make_continuous(film, KeptSteps(tmp_path / str(share), film.plan, {}, ""), share))
    apart = (films[0] - films[1]).abs().amax((0, 1, 3, 4))
    assert apart[6:].min() > 1e-4


def test_a_window_whose_twin_went_before_is_not_changed(family: Family) -> None:
    """Keys of equal tokens, placed where the window's own stand, are its own keys."""
    film = film_of(family, plan_film("averaged", 45, 17, 8, 4), steps=4)
    hook = KeysOfTheWindowBefore(film, int(family.transformer.config.num_layers))
    x, said = film.noise(5), family.encode_prompt(["a fox"])
    slots = range(3, 8)  # of the second window
    tokens = Tokens(x, film.coordinates(slots), film.geometry_of(slots).grid)
    sigmas, at = torch.full((1, x.shape[1]), 0.7), Site(1, 0, 0.7)
    plain = family.velocity(tokens, sigmas, said, at)
    with family.attention(hook):
        family.velocity(tokens, sigmas, said, replace(at, window=0))
        twin = family.velocity(tokens, sigmas, said, replace(at, window=1))
        family.velocity(replace(tokens, values=-x), sigmas, said, replace(at, window=1))
        other = family.velocity(tokens, sigmas, said, replace(at, window=2))
    assert torch.allclose(twin, plain, atol=1e-5)
    assert not torch.allclose(other, plain, atol=1e-3)


def test_a_take_that_was_killed_comes_out_the_same(family: Family, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(progress: object) -> None:
        if film.evaluations > 20:
            raise Killed

    film = take(family)
    whole = make_continuous(film, KeptSteps(tmp_path / "whole", film.plan, {}, ""))
    film = take(family, on_progress=kill)
    with pytest.raises(Killed):
        make_continuous(film, KeptSteps(tmp_path, film.plan, {}, ""))
    film = take(family)
    assert torch.equal(make_continuous(film, KeptSteps(tmp_path, film.plan, {}, "")), whole)
