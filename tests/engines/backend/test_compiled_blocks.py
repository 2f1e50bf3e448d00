"""FRAMEWRIGHT_COMPILE runs blocks compiled, gives the same frames, and steps back where weights come and go."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engines.backend.compiled_blocks import ENVIRONMENT, why_not_compiled
from engines.backend.families.guided import guided_velocity
from engines.backend.families.video_family import VideoFamily
from engines.backend.loading import load_family
from engines.backend.memory.plan import Placement
from engines.errors import NotAvailable
from engines.sampling.guidance import Unguided
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import from_scheduler_config, uniform
from engines.sampling.solvers import make_solver
from tests.engines.tiny_models import TINY, card_for

STEPS = 3


@pytest.fixture(scope="module", params=["ltx", "wan"])
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VideoFamily:
    model, save = TINY[request.param]
    folder = save(tmp_path_factory.mktemp("model"))
    return load_family(card_for(folder, model), folder, torch.device("cpu"), torch.float32)


def render(family: VideoFamily) -> torch.Tensor:
    geometry = family.geometry(64, 96, 9, 16)
    family.prepare(geometry, 1, 10**10)
    schedule = from_scheduler_config(family.scheduler_config, STEPS, geometry.tokens)
    start = gaussian_noise((1, geometry.tokens, family.channels), seed=3)
    with family.cached("off", STEPS):
        velocity = guided_velocity(family, geometry, Unguided(family.encode_prompt(["a red fox"])))
        return sample(velocity, start, uniform(schedule, geometry.tokens), make_solver("euler"))


def test_compiled_blocks_give_the_same_and_are_left_again(family: VideoFamily, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = render(family)
    traced: list[torch.fx.GraphModule] = []

    def remember(graph: torch.fx.GraphModule, _: list[torch.Tensor]) -> object:
        traced.append(graph)
        return graph.forward

    monkeypatch.setattr("engines.backend.families.video_family.wanted_compiler", lambda: remember)
    compiled = render(family)
    assert traced
    assert torch.allclose(compiled, plain, atol=1e-4)
    monkeypatch.undo()
    count = len(traced)
    assert torch.equal(render(family), plain)
    assert len(traced) == count


def test_it_steps_back_where_weights_come_and_go(family: VideoFamily) -> None:
    plan = family.prepare(family.geometry(64, 96, 9, 16), 1, 10**10)
    assert why_not_compiled(plan) == ""
    assert "run uncompiled" in why_not_compiled(replace(plan, placement=Placement.BLOCK_BY_BLOCK))


def test_an_unknown_compiler_is_named(family: VideoFamily, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "gcc")
    with pytest.raises(NotAvailable, match="is no compiler") as caught:
        render(family)
    assert "inductor" in caught.value.fix
