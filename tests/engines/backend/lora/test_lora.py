"""LoRA files beside a model's weights: as peft's, in every layout, wherever the weights lie; refusals in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.loaders.lora_pipeline import WanLoraLoaderMixin
from safetensors.torch import load_file, save_file
from torch import Tensor

from engines.backend.catalogue import LoraCard, ModelCard
from engines.backend.families.video_family import VideoFamily
from engines.backend.loading import load_family
from engines.backend.lora.branches import LowRankBranches
from engines.backend.lora.files import read_lora
from engines.backend.memory.plan import JobShape, Placement, possible_plans
from engines.backend.memory.small_weights import WeightFormat
from engines.errors import InvalidRequest, NotAvailable
from engines.sampling.site import Site
from tests.engines.tiny_models import TINY, card_for

CPU = torch.device("cpu")
NAMES = ("ltx", "wan", "two experts", "cogvideox", "hunyuan_video")
RANK = 4
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
FEED_FORWARD = ("ffn.net.0.proj", "ffn.net.2")  # of Wan


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelCard, Path]:
    name, save = TINY[request.param]
    folder = save(tmp_path_factory.mktemp("model"))
    return card_for(folder, name), folder


@pytest.fixture
def wan(tmp_path: Path) -> tuple[ModelCard, Path]:
    name, save = TINY["wan"]
    folder = save(tmp_path / "wan")
    return card_for(folder, name), folder


def load(card: ModelCard, folder: Path) -> VideoFamily:
    return load_family(card, folder, CPU, torch.float32)


def said(family: VideoFamily, level: float = 0.9) -> Tensor:
    geometry = family.geometry(64, 96, 9, 16)
    latents = torch.randn(1, family.channels, *geometry.grid, generator=torch.Generator().manual_seed(0))
    sigmas = torch.full((1, geometry.tokens), level)
    return family.velocity(family.pack(latents, geometry), sigmas, family.encode_prompt(["a fox"]), Site(0, 0, level))


def made_by_peft(transformer: Any, file: Path, alpha: int = 8, more: tuple[str, ...] = ()) -> Path:
    """A file as a training of diffusers writes it, with weights that change what the model says."""
    from diffusers.loaders.lora_base import LORA_ADAPTER_METADATA_KEY
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    torch.manual_seed(5)
    config = LoraConfig(r=RANK, lora_alpha=alpha, target_modules=[*ATTENTION, *more])
    transformer.add_adapter(config)
    for name, value in transformer.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=0.05)
    weights = {
        f"transformer.{name}": value.contiguous() for name, value in get_peft_model_state_dict(transformer).items()
    }
    settings = {f"transformer.{name}": value for name, value in config.to_dict().items()}
    settings["transformer.target_modules"] = sorted(config.target_modules or ())
    save_file(weights, file, {LORA_ADAPTER_METADATA_KEY: json.dumps(settings, default=str)})
    transformer.delete_adapters("default")
    return file


def with_lora(card: ModelCard, *files: Path, parts: tuple[str, ...] = ("transformer",)) -> ModelCard:
    loras = tuple(
        LoraCard.model_validate(
            {
                "source": {"kind": "local", "path": str(file)}, "part": part, "size_bytes": file.stat().st_size,
                "licence": "mine", "licence_url": "https://example.org",
            }
        )
        for file, part in zip(files, parts, strict=True)
    )  # fmt: skip
    return card.model_copy(update={"loras": loras})


def test_it_says_what_peft_says(model: tuple[ModelCard, Path], tmp_path: Path) -> None:
    card, folder = model
    file = made_by_peft(load(card, folder).transformer, tmp_path / "my.safetensors")
    plain = load(card, folder)
    before = said(plain)
    weights, metadata = WanLoraLoaderMixin.lora_state_dict(str(file), return_lora_metadata=True)
    plain.transformer.load_lora_adapter(weights, prefix="transformer", metadata=metadata)
    level = said(plain)
    ours = load(with_lora(card, file), folder)
    assert (said(ours) - level).abs().max() <= 1e-5 * level.abs().max()
    assert (level - before).abs().max() > 1e-2 * before.abs().max(), "it changes something"
    assert ours.revision.startswith(plain.revision + "+")


def test_it_leaves_nothing_behind_and_has_a_strength(model: tuple[ModelCard, Path], tmp_path: Path) -> None:
    card, folder = model
    file = made_by_peft(load(card, folder).transformer, tmp_path / "my.safetensors")
    family = load(card, folder)
    before = said(family)
    weights = read_lora(file, card.family)
    for strength, changes in ((0.0, False), (1.0, True)):
        branches = LowRankBranches(family.transformer, weights, strength)
        assert torch.equal(said(family), before) != changes
        branches.undo()
        assert torch.equal(said(family), before)


@pytest.mark.parametrize("form", [WeightFormat.AS_COMPUTED, WeightFormat.INT8])
def test_wherever_the_weights_lie_it_is_beside_them(
    model: tuple[ModelCard, Path], tmp_path: Path, form: WeightFormat
) -> None:
    card, folder = model
    file = made_by_peft(load(card, folder).transformer, tmp_path / "my.safetensors")
    family, bare = load(with_lora(card, file), folder), load(card, folder)
    answers = []
    for one in (family, bare):
        plans = possible_plans(one.card, folder, JobShape(one.geometry(64, 96, 9, 16).grid, 1), torch.float32)
        laid = {plan.placement: plan for plan in plans if plan.weights is form and plan.feed_forward_pieces == 1}
        for placement in (Placement.RESIDENT, Placement.BLOCK_BY_BLOCK):
            one.residence.follow([laid[placement]])
            answers.append(said(one))
        names = [part.name for part in laid[Placement.RESIDENT].phases["a step"]]
        assert ("LoRA" in names) == (one is family), "its bytes are counted"
    resident, streamed, without, _ = answers
    assert torch.equal(resident, streamed)
    assert not torch.allclose(resident, without, rtol=1e-3)


def test_each_expert_has_its_own(tmp_path: Path) -> None:
    name, save = TINY["two experts"]
    folder = save(tmp_path / "wan")
    card = card_for(folder, name)
    file = made_by_peft(load(card, folder).transformer, tmp_path / "low.safetensors")
    both, second = load(card, folder), load(with_lora(card, file, parts=("transformer_2",)), folder)
    assert torch.equal(said(both, 0.99), said(second, 0.99))
    assert not torch.equal(said(both, 0.05), said(second, 0.05))


def to_comfy(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.replace("transformer.", "diffusion_model.", 1): value for name, value in weights.items()}


def to_wan_own(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    names = {".attn1.": ".self_attn.", ".attn2.": ".cross_attn.", ".to_q.": ".q.", ".to_k.": ".k.", ".to_v.": ".v."}
    names |= {".to_out.0.": ".o.", ".ffn.net.0.proj.": ".ffn.0.", ".ffn.net.2.": ".ffn.2."}
    found = {}
    for name, value in to_comfy(weights).items():
        for ours, theirs in names.items():
            name = name.replace(ours, theirs)
        found[name] = value
    return found


def to_kohya(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    found = {}
    for name, value in to_wan_own(weights).items():
        layer, ending = name.removeprefix("diffusion_model.").split(".lora_")
        key = "lora_unet_" + layer.replace(".", "_")
        found[f"{key}.lora_{'down' if ending.startswith('A') else 'up'}.weight"] = value
        found[f"{key}.alpha"] = torch.tensor(2.0 * RANK)
    return found


def to_peft(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.replace("transformer.", "base_model.model.", 1): value for name, value in weights.items()}


@pytest.mark.parametrize(
    ("kind", "layout"),
    [("ltx", to_comfy), ("wan", to_wan_own), ("wan", to_kohya), ("wan", to_peft), ("cogvideox", to_peft)],
)
def test_every_layout_is_understood(
    tmp_path: Path, kind: str, layout: Callable[[dict[str, Tensor]], dict[str, Tensor]]
) -> None:
    name, save = TINY[kind]
    folder = save(tmp_path / "model")
    card = card_for(folder, name)
    file = made_by_peft(load(card, folder).transformer, tmp_path / "my.safetensors", RANK, FEED_FORWARD)
    other = tmp_path / "other.safetensors"
    save_file({key: value.contiguous() for key, value in layout(load_file(file)).items()}, other)
    wanted, found = read_lora(file, card.family), read_lora(other, card.family)
    assert wanted.keys() == found.keys()
    times = 2.0 if layout is to_kohya else 1.0  # its alpha is twice the rank
    for layer, one in wanted.items():
        product = found[layer].up @ found[layer].down * found[layer].scale
        assert torch.allclose(product, times * one.up @ one.down, atol=1e-6)


def pair(inputs: int = 16, outputs: int = 16, rank: int = 2) -> dict[str, Tensor]:
    return {"lora_A.weight": torch.zeros(rank, inputs), "lora_B.weight": torch.zeros(outputs, rank)}


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({}, "holds no weights"),
        ({"blocks.0.to_q.weight": torch.zeros(2)}, "is no LoRA: it holds “blocks.0.to_q.weight”"),
        ({"blocks.0.to_q.lora_A.weight": torch.zeros(2, 4)}, "no pair of matrices for blocks.0.to_q"),
        ({"x.lora_A.weight": torch.zeros(2, 4), "x.lora_B.weight": torch.zeros(4, 3)}, "ranks 2 and 3"),
        ({"x.lora_A.weight": torch.zeros(2, 4), "x.dora_scale": torch.zeros(4)}, "is a DoRA"),
        ({"lora_te_text.lora_down.weight": torch.zeros(2, 4)}, "changes the text encoder"),
        ({"diffusion_model.what.lora_A.weight": torch.zeros(2, 4)}, "is no LoRA of a wan model|no pair of matrices"),
    ],
)
def test_what_is_no_lora_is_refused(tmp_path: Path, weights: dict[str, Tensor], says: str) -> None:
    file = tmp_path / "bad.safetensors"
    save_file(weights, file)
    with pytest.raises(InvalidRequest, match=says) as caught:
        read_lora(file, "wan")
    assert caught.value.field == "lora"


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"no \.safetensors file"):
        read_lora(tmp_path / "my.pt", "wan")
    with pytest.raises(InvalidRequest, match="There is no file"):
        read_lora(tmp_path / "my.safetensors", "wan")
    file = tmp_path / "cut.safetensors"
    save_file({f"x.{name}": value for name, value in pair().items()}, file)
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_lora(file, "wan")


def test_one_of_another_model_is_named(wan: tuple[ModelCard, Path], tmp_path: Path) -> None:
    card, folder = wan
    file = tmp_path / "my.safetensors"
    save_file({f"transformer.blocks.0.attn1.to_q.{name}": value for name, value in pair(7, 16).items()}, file)
    with pytest.raises(NotAvailable, match=r"of another size: its blocks\.0\.attn1\.to_q takes 7 values"):
        load(with_lora(card, file), folder)
    save_file({f"transformer.layers.0.to_q.{name}": value for name, value in pair().items()}, file)
    with pytest.raises(NotAvailable, match=r"no linear layer layers\.0\.to_q") as caught:
        load(with_lora(card, file), folder)
    assert caught.value.field == "model"
    gone = with_lora(card, file)
    file.unlink()
    with pytest.raises(NotAvailable, match="not there any more"):
        load(gone, folder)
