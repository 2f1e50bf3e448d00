"""A transformer in one file, in the formats that other programs share, becomes a model of the menu."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engines.backend.catalogue import ModelCard, load_catalogue
from engines.backend.loading import load_family
from engines.backend.model_files import locate
from engines.backend.single_files import import_single_file
from engines.backend.tiny import card_for, save_tiny_cogvideox, save_tiny_ltx, save_tiny_wan
from engines.errors import InvalidRequest, ResourceError

Weights = dict[str, torch.Tensor]
# diffusers' names of LTX → those of the original files.
ORIGINAL = {"proj_in": "patchify_proj", "time_embed": "adaln_single", "norm_q": "q_norm", "norm_k": "k_norm"}


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    return card_for(save_tiny_ltx(tmp_path_factory.mktemp("ltx")), "ltx_video")


def weights_of(card: ModelCard) -> Weights:
    return load_file(locate(card) / "transformer" / "diffusion_pytorch_model.safetensors")


def loaded(card: ModelCard) -> Weights:
    family = load_family(card, locate(card), torch.device("cpu"), torch.float32)
    return dict(family.transformer.state_dict())


def originally(weights: Weights) -> Weights:
    named = {}
    for name, value in weights.items():
        for ours, theirs in ORIGINAL.items():
            name = name.replace(ours, theirs)
        named[f"model.diffusion_model.{name}"] = value
    return named


def error_of(made: Weights, true: Weights) -> float:
    """The largest difference relative to the largest value, over all weights."""
    assert made.keys() == true.keys()
    return max(float((made[name] - true[name]).abs().max() / true[name].abs().max().clamp_min(1e-6)) for name in true)


def as_safetensors(weights: Weights, path: Path) -> Path:
    save_file({name: value.contiguous() for name, value in weights.items()}, path)
    return path


def as_scaled_eight_bits(weights: Weights, path: Path) -> Path:
    stored: Weights = {"scaled_fp8": torch.zeros(2)}
    for name, value in weights.items():
        if value.dim() == 2 and name.endswith(".weight"):
            scale = value.abs().max() / 448
            stored[name] = (value / scale).to(torch.float8_e4m3fn)
            stored[name.removesuffix("weight") + "scale_weight"] = scale
        else:
            stored[name] = value
    return as_safetensors(stored, path)


def as_gguf(weights: Weights, path: Path) -> Path:
    writer = gguf.GGUFWriter(path, "ltxv")
    for name, value in weights.items():
        array = value.float().numpy()
        kind = gguf.GGMLQuantizationType.Q8_0
        if array.ndim == 2 and array.shape[1] % 32 == 0:
            writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, np.ascontiguousarray(array))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize(
    ("make", "name", "allowed"),
    [
        (as_safetensors, "plain.safetensors", 0.005),
        (as_scaled_eight_bits, "eight.safetensors", 0.07),
        (as_gguf, "q8.gguf", 0.01),
    ],
)
def test_each_format_brings_the_same_weights(
    like: ModelCard, tmp_path: Path, make: object, name: str, allowed: float
) -> None:
    assert callable(make)
    true = weights_of(like)
    made = import_single_file(make(originally(true), tmp_path / name), like, "My LTX", tmp_path / "models")
    assert (made.id, made.title, made.family) == ("local_my_ltx", "My LTX", "ltx")
    assert load_catalogue(own=tmp_path / "models").card(made.id) == made
    assert error_of(loaded(made), {name: value.float() for name, value in true.items()}) < allowed


@pytest.mark.parametrize("save", [save_tiny_wan, save_tiny_cogvideox])
def test_diffusers_own_names_are_understood_of_every_family(tmp_path: Path, save: object) -> None:
    assert callable(save)
    card = card_for(save(tmp_path / "base"), "wan_2_1" if save is save_tiny_wan else "cogvideox_2b")
    true = weights_of(card)
    made = import_single_file(as_safetensors(true, tmp_path / "one.safetensors"), card, models=tmp_path / "models")
    assert error_of(loaded(made), {name: value.float() for name, value in true.items()}) < 0.005


def test_what_is_no_such_transformer_is_refused_and_leaves_nothing(like: ModelCard, tmp_path: Path) -> None:
    true, models = weights_of(like), tmp_path / "models"
    few = dict(list(originally(true).items())[:-3])
    with pytest.raises(InvalidRequest, match="of its weights are missing"):
        import_single_file(as_safetensors(few, tmp_path / "few.safetensors"), like, models=models)
    wide = {name: torch.cat([value, value]) for name, value in originally(true).items()}
    with pytest.raises(InvalidRequest, match="is no transformer like that of"):
        import_single_file(as_safetensors(wide, tmp_path / "wide.safetensors"), like, models=models)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((tmp_path / "few.safetensors").read_bytes()[:5000])
    with pytest.raises(InvalidRequest, match="cannot be read") as caught:
        import_single_file(cut, like, models=models)
    assert caught.value.field == "file"
    (tmp_path / "old.ckpt").write_bytes(b"a pickle")
    with pytest.raises(InvalidRequest, match=r"neither a \.safetensors nor a \.gguf"):
        import_single_file(tmp_path / "old.ckpt", like, models=models)
    with pytest.raises(InvalidRequest, match="There is no file"):
        import_single_file(tmp_path / "gone.gguf", like, models=models)
    assert not [path for path in models.rglob("*") if path.is_file()]


def test_a_small_disk_and_two_experts_are_said_before(
    like: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = as_safetensors(weights_of(like), tmp_path / "one.safetensors")
    two = card_for(save_tiny_wan(tmp_path / "two", 0.8), "wan_2_1")
    with pytest.raises(InvalidRequest, match="has two transformers"):
        import_single_file(file, two, models=tmp_path / "models")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 1000))
    with pytest.raises(ResourceError, match="are free"):
        import_single_file(file, like, models=tmp_path / "models")
    assert not list((tmp_path / "models").rglob("*.safetensors"))
