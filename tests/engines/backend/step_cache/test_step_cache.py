"""Step caches leave out work, keep histories apart, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from engines.backend.families.guided import guided_velocity
from engines.backend.families.video_family import VideoFamily
from engines.backend.loading import load_family
from engines.backend.memory.dry_run import step_cache_bytes
from engines.backend.memory.meter import StorageMeter
from engines.backend.step_cache import caching as caching_module
from engines.backend.step_cache.caching import at_site, forget
from engines.backend.step_cache.kinds import StepCache, refuse, step_caches, why_not
from engines.errors import InvalidRequest
from engines.sampling.guidance import ClassifierFree, Unguided
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import from_scheduler_config, uniform
from engines.sampling.site import Site
from engines.sampling.solvers import make_solver
from tests.engines.tiny_models import TINY, card_for

CPU = torch.device("cpu")
STEPS = 12
NAMES = ("ltx", "wan", "two experts", "cogvideox", "hunyuan_video")
KINDS: tuple[StepCache, ...] = get_args(StepCache)[1:]


@pytest.fixture(scope="module", params=NAMES)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VideoFamily:
    model, save = TINY[request.param]
    folder = save(tmp_path_factory.mktemp("model"))
    card = card_for(folder, model)
    card = card.model_copy(update={"facts": card.facts.model_copy(update={"mag_ratios": (1.0,) * STEPS})})
    return load_family(card, folder, CPU, torch.float32)


def render(family: VideoFamily, kind: StepCache, solver: str = "euler") -> tuple[torch.Tensor, int]:
    """Tokens, and how many operations they took."""
    geometry = family.geometry(64, 96, 9, 16)
    guidance = ClassifierFree(family.encode_prompt(["a red fox"]), family.encode_prompt([""]), 3.0)
    schedule = from_scheduler_config(family.scheduler_config, STEPS, geometry.tokens)
    start = gaussian_noise((1, geometry.tokens, family.channels), seed=3)
    counter = FlopCounterMode(display=False)
    with counter, family.cached(kind, STEPS):
        velocity = guided_velocity(family, geometry, guidance)
        made = sample(velocity, start, uniform(schedule, geometry.tokens), make_solver(solver))
    return made, counter.get_total_flops()


@pytest.mark.parametrize("kind", KINDS)
def test_it_leaves_out_work_and_leaves_nothing_behind(
    family: VideoFamily, kind: StepCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Random weights change more from step to step than trained ones: what counts as little must be more.
    tolerant = step_caches()["first_block"].model_copy(update={"settings": {"threshold": 0.5}})
    monkeypatch.setattr(caching_module, "step_caches", lambda: step_caches() | {"first_block": tolerant})
    whole, all_work = render(family, "off")
    cached, work = render(family, kind)
    assert work < all_work
    assert torch.isfinite(cached).all()
    again, _ = render(family, kind)
    assert torch.equal(cached, again), "a run does not see what another kept"
    after, same_work = render(family, "off")
    assert torch.equal(after, whole)
    assert same_work == all_work


@pytest.mark.parametrize("kind", KINDS)
def test_solvers_that_ask_twice_in_a_step_have_two_histories(family: VideoFamily, kind: StepCache) -> None:
    made, _ = render(family, kind, "midpoint")
    assert torch.isfinite(made).all()


def test_branches_that_are_asked_in_turn_do_not_get_each_others_answers(family: VideoFamily) -> None:
    """Attention of each branch is kept: with equal inputs the second call of a branch repeats its first."""
    geometry = family.geometry(64, 96, 9, 16)
    tokens = family.pack(torch.randn(1, family.channels, *geometry.grid), geometry)
    sigmas = torch.full((1, geometry.tokens), 0.5)
    prompts = {"cond": family.encode_prompt(["a red fox"]), "uncond": family.encode_prompt(["an apple"])}
    plain = {name: family.velocity(tokens, sigmas, prompt, Site(0, 0, 0.5, name)) for name, prompt in prompts.items()}
    assert not torch.equal(plain["cond"], plain["uncond"])
    with family.cached("attention_broadcast", STEPS):
        for step in range(2):
            for name, prompt in prompts.items():
                answer = family.velocity(tokens, sigmas, prompt, Site(step, 0, 0.5, name))
                assert torch.equal(answer, plain[name])


def test_what_a_failed_call_left_is_forgotten(family: VideoFamily) -> None:
    geometry = family.geometry(64, 96, 9, 16)
    tokens = family.pack(torch.randn(1, family.channels, *geometry.grid), geometry)
    sigmas, prompt = torch.full((1, geometry.tokens), 0.9), family.encode_prompt(["a red fox"])
    plain = family.velocity(tokens, sigmas, prompt, Site(0, 0, 0.9))
    with family.cached("first_block", STEPS):
        family.velocity(tokens, torch.full_like(sigmas, 0.3), prompt, Site(0, 0, 0.3))
        for model in family._transformers.values():
            forget(model)
        assert torch.equal(family.velocity(tokens, sigmas, prompt, Site(1, 0, 0.9)), plain)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_counts_what_is_kept(family: VideoFamily, kind: StepCache) -> None:
    geometry = family.geometry(64, 96, 17, 16)
    velocity = guided_velocity(family, geometry, Unguided(family.encode_prompt(["a red fox"])))
    tokens = torch.randn(1, geometry.tokens, family.channels)

    def live_after(kind: StepCache) -> int:
        with StorageMeter() as meter, family.cached(kind, STEPS):
            for step in range(2):
                velocity(tokens, torch.full((1, geometry.tokens), 0.7 - step / 10), Site(step, 0, 0.7 - step / 10))
            return meter.live

    live_after("off")  # a family's own tables are made once
    kept = live_after(kind) - live_after("off")
    text = family.card.facts.max_text_tokens
    arguments = (family.card.family, family.folder / "transformer", geometry.grid, 1, text, torch.float32)
    planned = step_cache_bytes(*arguments, kind, family.card.facts.mag_ratios)
    assert 0 < kept <= planned * 1.2
    assert planned <= kept * 2.5


def test_a_model_that_was_not_measured_cannot_be_rendered_with_mag_cache(tmp_path: Path) -> None:
    card = card_for(tmp_path, "ltx_video")
    assert "not measured" in why_not("mag", card)
    with pytest.raises(InvalidRequest, match="LTX-Video") as raised:
        refuse("mag", card)
    assert raised.value.field == "step_cache"
    assert "first_block" in raised.value.fix
    refuse("first_block", card)


def test_every_cache_has_an_entry_that_says_what_it_does() -> None:
    assert tuple(step_caches()) == KINDS
    assert all(card.says.endswith(".") and card.source.startswith("https://") for card in step_caches().values())


def test_without_a_cache_a_site_is_not_told() -> None:
    with at_site(torch.nn.Linear(1, 1), Site(0, 0, 0.5)):
        pass
