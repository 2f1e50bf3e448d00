"""A model laid into less memory gives the same; when memory runs out it goes on from the step that failed."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.backend.families.guided import guided_velocity
from engines.backend.families.video_family import VideoFamily
from engines.backend.loading import load_family
from engines.backend.memory.meter import StorageMeter
from engines.backend.memory.plan import JobShape, MemoryPlan, Placement, possible_plans
from engines.backend.memory.small_weights import WeightFormat
from engines.backend.memory.weights import checkpoint_weights
from engines.errors import ResourceError
from engines.sampling.guidance import Unguided
from engines.sampling.loop import Step, sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import from_scheduler_config, uniform
from engines.sampling.solvers import make_solver
from tests.engines.tiny_models import TINY, card_for

CPU = torch.device("cpu")
NAMES = ("ltx", "wan", "two experts", "cogvideox", "hunyuan_video")


@pytest.fixture(scope="module", params=NAMES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    model, save = TINY[request.param]
    return model, save(tmp_path_factory.mktemp("model"))


def load(folder: tuple[str, Path]) -> VideoFamily:
    return load_family(card_for(folder[1], folder[0]), folder[1], CPU, torch.float32)


def render(family: VideoFamily, on_step: Callable[[Step], None] | None = None) -> np.ndarray:
    geometry = family.geometry(64, 96, 9, 16)
    schedule = from_scheduler_config(family.scheduler_config, 4, geometry.tokens)
    velocity = guided_velocity(family, geometry, Unguided(family.encode_prompt(["a red fox"])))
    start = gaussian_noise((1, geometry.tokens, family.channels), seed=3)
    made = sample(velocity, start, uniform(schedule, geometry.tokens), make_solver("euler"), on_step=on_step)
    return np.concatenate(list(family.decode(family.unpack(made, geometry))))


def shape_of(family: VideoFamily) -> JobShape:
    return JobShape(family.geometry(64, 96, 9, 16).grid, branches=1)


def ladder(
    family: VideoFamily, *placements: Placement, form: WeightFormat = WeightFormat.AS_COMPUTED
) -> list[MemoryPlan]:
    """One plan of each placement, untiled and whole."""
    every = possible_plans(family.card, family.folder, shape_of(family), torch.float32)
    plain = {(p.placement, p.weights): p for p in every if not p.tiled and p.feed_forward_pieces == 1}
    return [plain[placement, form] for placement in placements]


@pytest.mark.parametrize("placement", list(Placement)[1:])
def test_every_placement_gives_the_same_frames(folder: tuple[str, Path], placement: Placement) -> None:
    family = load(folder)
    whole = render(family)
    family.residence.follow(ladder(family, placement))
    assert np.array_equal(render(family), whole)
    assert np.array_equal(render(family), whole), "and once more, now that everything has left once"


def away(module: torch.nn.Module) -> bool:
    return all(value.is_meta for value in module.parameters())


def test_only_what_computes_is_on_the_device(folder: tuple[str, Path]) -> None:
    family = load(folder)
    family.residence.follow(ladder(family, Placement.ONE_AT_A_TIME))
    seen = []
    render(family, lambda step: seen.append((away(family.autoencoder), away(family.transformer))))
    assert all(autoencoder for autoencoder, _ in seen)
    assert not seen[0][1], "the first step is the transformer's (of two experts the first one's)"
    assert away(family.transformer)


def test_block_by_block_one_block_has_weights_while_it_computes(folder: tuple[str, Path]) -> None:
    family = load(folder)
    family.residence.follow(ladder(family, Placement.BLOCK_BY_BLOCK))
    blocks = getattr(family.transformer, "blocks", None) or family.transformer.transformer_blocks
    present = []
    blocks[0].register_forward_pre_hook(lambda *_: present.append([not away(block) for block in blocks]))
    render(family)
    assert present
    assert all(sum(one) == 1 and one[0] for one in present)
    assert all(away(block) for block in blocks)


@pytest.mark.parametrize("form", list(WeightFormat)[1:])
def test_weights_in_fewer_bits_are_close(folder: tuple[str, Path], form: WeightFormat) -> None:
    family = load(folder)
    whole = render(family).astype(np.float64)
    family.residence.follow(ladder(family, Placement.RESIDENT, form=form))
    assert any(value.is_meta for value in family.transformer.parameters()), "matrices lie elsewhere"
    error = np.abs(render(family) - whole).mean()
    assert 0 < error < 20


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="freed memory is glibc's to give back")
def test_what_a_plan_frees_leaves_the_process() -> None:
    """Left to itself, malloc keeps the holes that large blocks leave between small ones."""
    command = [sys.executable, "-c", HOLES]
    held = [int(subprocess.run([*command, at_once], capture_output=True, check=True).stdout) for at_once in "01"]
    assert held[1] < held[0] / 2


HOLES = """
import sys, psutil, torch
from engines.backend.memory.allocator import give_back_freed_memory
give_back_freed_memory(sys.argv[1] == "1")
before = psutil.Process().memory_info().rss
large, small = [], []
for _ in range(40):
    large.append(torch.ones(1_000_000))
    small.append(torch.ones(100_000))  # stands behind it, so that its place is no end of the heap
del large
print(psutil.Process().memory_info().rss - before)
"""


def test_a_job_leaves_nothing_of_its_plan_to_the_next(folder: tuple[str, Path]) -> None:
    family = load(folder)
    whole = render(family)
    smallest = list(possible_plans(family.card, family.folder, shape_of(family), torch.float32))[-1]
    assert smallest.tiled
    assert smallest.weights is WeightFormat.INT4
    family.residence.follow([smallest])
    small = render(family)
    family.residence.follow(ladder(family, Placement.RESIDENT))
    assert np.array_equal(render(family), whole)
    family.residence.follow([smallest])
    assert np.array_equal(render(family), small)


def test_when_memory_runs_out_the_next_plan_goes_on_from_the_failed_step(folder: tuple[str, Path]) -> None:
    family = load(folder)
    whole = render(family)
    family.residence.follow(ladder(family, Placement.RESIDENT, Placement.BLOCK_BY_BLOCK))
    steps: list[int] = []
    failed = []
    compute = family.transformer.forward

    def second_call_fails(*args: object, **kwargs: object) -> object:
        if steps and not failed:
            failed.append(True)
            with StorageMeter(budget=1000):
                torch.zeros(10_000)
        return compute(*args, **kwargs)

    family.transformer.forward = second_call_fails
    frames = render(family, lambda step: steps.append(step.interval))
    assert failed
    assert family.residence.plan is not None
    assert family.residence.plan.placement is Placement.BLOCK_BY_BLOCK
    assert "another plan" in family.residence.changes[0]
    assert steps == [0, 1, 2, 3], "no step was made twice"
    assert np.array_equal(frames, whole)


def test_when_no_plan_is_left_the_person_is_told(folder: tuple[str, Path]) -> None:
    family = load(folder)
    family.residence.follow(ladder(family, Placement.RESIDENT))

    def never_fits() -> None:
        with StorageMeter(budget=1000):
            torch.zeros(10_000)

    with pytest.raises(ResourceError, match="Memory ran out") as raised:
        family.residence.run("transformer", never_fits)
    assert "smaller size" in raised.value.fix
    assert render(family).shape[-1] == 3, "and the model can be used again"


def test_other_errors_pass(folder: tuple[str, Path]) -> None:
    family = load(folder)

    def fails() -> None:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        family.residence.run("transformer", fails)


def test_weights_that_a_plan_never_holds_are_never_copied(folder: tuple[str, Path]) -> None:
    """As loaded they are mapped from their files; a copy of all of them would be what the plan is there to avoid."""
    streamed, resident = load(folder), load(folder)
    for family, placement in ((streamed, Placement.BLOCK_BY_BLOCK), (resident, Placement.RESIDENT)):
        before = {name: value.data_ptr() for name, value in family.transformer.named_parameters()}
        with StorageMeter() as meter:
            family.residence.follow(ladder(family, placement))
            family.residence.run("transformer", lambda: None)
        if placement is Placement.BLOCK_BY_BLOCK:
            outside = checkpoint_weights(family.folder).parts["transformer"].outside
            assert meter.peak <= 1.05 * 4 * outside
        else:
            assert all(value.data_ptr() % 64 == 0 for value in family.transformer.parameters())
            moved = [name for name, value in family.transformer.named_parameters() if value.data_ptr() != before[name]]
            assert {name for name, place in before.items() if place % 64} == set(moved)
