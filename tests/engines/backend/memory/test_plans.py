"""What plans say a job needs, against what it needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from engines.backend.families.video_family import VideoFamily
from engines.backend.loading import load_family
from engines.backend.memory.meter import StorageMeter
from engines.backend.memory.plan import JobShape, MemoryPlan, Placement, plans_within, possible_plans
from engines.backend.memory.small_weights import WeightFormat
from engines.backend.memory.weights import checkpoint_weights
from engines.backend.tiny import save_tiny_cogvideox, save_tiny_hunyuan_video, save_tiny_wan
from engines.errors import ResourceError
from engines.sampling.site import Site
from tests.engines.tiny_models import TINY, card_for

CPU = torch.device("cpu")
NAMES = ("ltx", "wan", "cogvideox", "hunyuan_video")


@pytest.fixture(scope="module", params=NAMES)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VideoFamily:
    model, save = TINY[request.param]
    folder = save(tmp_path_factory.mktemp(request.param))
    return load_family(card_for(folder, model), folder, CPU, torch.float32)


def plans(family: VideoFamily, height: int = 64, width: int = 96, frames: int = 17) -> list[MemoryPlan]:
    shape = JobShape(family.geometry(height, width, frames, 16).grid, branches=1)
    return list(possible_plans(family.card, family.folder, shape, torch.float32))


def test_values_are_counted_from_the_headers_of_the_files(family: VideoFamily) -> None:
    weights = checkpoint_weights(family.folder)
    assert weights.of("transformer") == sum(value.numel() for value in family.transformer.state_dict().values())
    assert weights.of("vae") == sum(value.numel() for value in family.autoencoder.state_dict().values())
    blocks = weights.parts["transformer"].blocks
    assert len(blocks) >= family.transformer.config.num_layers
    assert 0 < weights.parts["transformer"].largest_block < weights.of("transformer")


def test_a_step_needs_what_the_plan_says(family: VideoFamily) -> None:
    """The plan goes through meta tensors; here the same step runs with real ones."""
    geometry = family.geometry(64, 96, 17, 16)
    prompt = family.encode_prompt(["a red fox"])
    tokens = family.pack(torch.randn(1, family.channels, *geometry.grid), geometry)
    family.residence.run("transformer", lambda: None)  # weights get memory of their own at the first use
    with StorageMeter() as meter:
        family.velocity(tokens, torch.full((1, geometry.tokens), 0.7), prompt, Site(0, 0, 0.7))
    planned = next(part.size for part in plans(family)[0].phases["a step"] if part.name == "a step")
    # The plan goes through two blocks and no more; what a step is given already lies there.
    assert planned == pytest.approx(meter.peak, rel=0.2)


def test_a_decoding_needs_what_the_plan_says(family: VideoFamily) -> None:
    geometry = family.geometry(64, 96, 17, 16)
    family.residence.run("autoencoder", lambda: None)
    with StorageMeter() as meter:
        list(family.decode(torch.randn(1, family.channels, *geometry.grid)))
    planned = next(part.size for part in plans(family)[0].phases["decoding"] if part.name == "decoding")
    assert planned == pytest.approx(meter.peak, rel=0.2)


@pytest.mark.parametrize(
    ("model", "save"),
    [
        ("wan_2_1", lambda folder: save_tiny_wan(folder, given="channels and picture")),
        ("cogvideox_2b", lambda folder: save_tiny_cogvideox(folder, given=True)),
        ("hunyuan_video_1_5", lambda folder: save_tiny_hunyuan_video(folder, given=True)),
    ],
)
def test_models_that_take_a_picture_are_planned_with_their_image_encoder(
    model: str, save: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = save(tmp_path)
    shape = JobShape((3, 8, 12), branches=1)
    (plan, *_) = possible_plans(card_for(folder, model), folder, shape, torch.float32)
    text = next(part for part in plan.phases["reading the prompts"] if part.name == "text encoder")
    weights = checkpoint_weights(folder)
    assert text.size == 4 * weights.of("text_encoder", "text_encoder_2", "image_encoder")
    if model != "cogvideox_2b":
        assert weights.of("image_encoder") > 0


def test_plans_begin_with_the_fastest_and_later_ones_need_less(family: VideoFamily) -> None:
    every = plans(family)
    assert every[0].placement is Placement.RESIDENT
    assert every[0].weights is WeightFormat.AS_COMPUTED
    peaks = {
        (plan.placement, plan.weights): plan.peak for plan in every if plan.tiled and plan.feed_forward_pieces == 4
    }
    in_order = [peaks[placement, WeightFormat.AS_COMPUTED] for placement in Placement]
    assert in_order == sorted(in_order, reverse=True)
    if family.card.family != "hunyuan_video":  # in small it is one matrix and little else, which is brought whole
        assert peaks[Placement.RESIDENT, WeightFormat.FP8] < peaks[Placement.RESIDENT, WeightFormat.AS_COMPUTED]


def test_a_larger_video_needs_more(family: VideoFamily) -> None:
    small, large = plans(family)[0], plans(family, 128, 192)[0]
    for phase in ("a step", "decoding"):
        first, second = ({part.name: part.size for part in plan.phases[phase]} for plan in (small, large))
        assert {name for name in first if first[name] != second[name]} == {phase}
        assert second[phase] > first[phase]


def test_every_byte_has_its_reason(family: VideoFamily) -> None:
    plan = plans(family)[-1]
    said = "\n".join(plan.sentences())
    for parts in plan.phases.values():
        for part in parts:
            assert part.name in said
            assert part.why in said
    assert "4 bits" in said
    assert "4 bits" in plan.warnings()[0]
    assert plans(family)[0].warnings() == []


def test_the_first_plan_within_the_budget_is_taken_and_the_rest_of_the_ladder_falls(family: VideoFamily) -> None:
    shape = JobShape(family.geometry(64, 96, 17, 16).grid, branches=1)
    every = plans(family)
    smallest = min(plan.peak for plan in every)
    budget = (every[0].peak + smallest) // 2
    ladder = plans_within(family.card, family.folder, shape, torch.float32, budget)
    assert ladder[0].peak <= budget
    assert [plan.peak for plan in ladder] == sorted({plan.peak for plan in ladder}, reverse=True)
    with pytest.raises(ResourceError, match="at the least") as raised:
        plans_within(family.card, family.folder, shape, torch.float32, smallest - 1)
    assert "raise the memory budget" in raised.value.fix
