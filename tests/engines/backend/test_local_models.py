"""A folder of one's own becomes a model of the catalogue and renders through the very same path."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from engines.backend.catalogue import Feature, load_catalogue
from engines.backend.geometry import plan_geometry
from engines.backend.loading import load_family
from engines.backend.local_models import add_local_model, card_of_folder, main, remove_local_model, with_lora
from engines.backend.model_files import locate
from engines.backend.registry import ModelRegistry
from engines.backend.tiny import KINDS
from engines.context import RunContext
from engines.errors import InvalidRequest, NotAvailable
from engines.media.reader import ClipReader
from engines.text_to_video.engine import TextToVideoEngine
from engines.text_to_video.request import TextToVideoRequest

CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=sorted(KINDS))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return KINDS[request.param](tmp_path_factory.mktemp(request.param) / f"my {request.param}")


def test_a_card_fits_its_checkpoint(folder: Path) -> None:
    card = card_of_folder(folder, "Mine")
    assert (card.id, card.title, card.source.kind) == ("local_mine", "Mine", "local")
    family = load_family(card, folder, CPU, torch.float32)  # compares the checkpoint with the card
    assert family.channels > 0
    from_pictures = "ImageToVideo" in (folder / "model_index.json").read_text()
    assert card.features >= {Feature.FIRST_FRAME if from_pictures else Feature.TEXT_TO_VIDEO}
    assert card.size_bytes == sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


def test_it_renders_a_clip_by_the_same_engine(folder: Path, tmp_path: Path) -> None:
    card = add_local_model(folder, models=tmp_path / "models")
    models = ModelRegistry(load_catalogue(own=tmp_path / "models"), CPU, torch.float32)
    side = 2 * plan_geometry(card, card.facts.size_multiple * 2, card.facts.size_multiple * 2, 9, 8).height
    request = TextToVideoRequest(
        prompt="a fox", model=card.id, width=side, height=side, frames=9, steps=2, preview_every=0
    )
    if Feature.TEXT_TO_VIDEO not in card.features:
        with pytest.raises(InvalidRequest, match="does not make video from text"):
            TextToVideoEngine(models).run(request, RunContext(tmp_path / "work"))
        return
    result = TextToVideoEngine(models).run(request, RunContext(tmp_path / "work"))
    frames = np.concatenate(list(ClipReader(result.files[0].path)))
    assert frames.shape == (9, side, side, 3)


def test_it_stands_behind_the_bundled_model_until_it_is_removed(tmp_path: Path) -> None:
    folder, models = KINDS["ltx"](tmp_path / "tiny"), tmp_path / "models"
    card = add_local_model(folder, "Tiny LTX", models)
    assert list(load_catalogue(own=models))[:2] == ["diorama", "local_tiny_ltx"]
    assert locate(card) == folder.resolve()
    add_local_model(folder, "Tiny LTX", models)  # the same again is no other
    other = KINDS["ltx"](tmp_path / "other")
    with pytest.raises(InvalidRequest, match="already") as caught:
        add_local_model(other, "Tiny LTX", models)
    assert caught.value.field == "title"
    (folder / "model_index.json").unlink()
    with pytest.raises(NotAvailable, match="not there any more"):
        locate(card)
    remove_local_model(card.id, models)
    assert "local_tiny_ltx" not in load_catalogue(own=models)
    with pytest.raises(InvalidRequest, match="There is no local model"):
        remove_local_model("ltx_video", models)


def test_a_card_that_was_spoilt_keeps_nobody_from_starting(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "local_x.yaml").write_text("id: local_x\ntitle: [")
    with caplog.at_level(logging.WARNING):
        assert "diorama" in load_catalogue(own=tmp_path)
    assert "local_x.yaml" in caplog.text


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"model_index\.json cannot be read"):
        card_of_folder(tmp_path)
    folder = KINDS["wan"](tmp_path / "wan")
    index = folder / "model_index.json"
    known = index.read_text()
    index.write_text(known.replace("WanPipeline", "MochiPipeline"))
    with pytest.raises(InvalidRequest, match="holds a MochiPipeline"):
        card_of_folder(folder)
    index.write_text(known)
    for weights in (folder / "text_encoder").glob("*.safetensors"):
        weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(InvalidRequest, match="a pickle"):
        card_of_folder(folder)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FRAMEWRIGHT_HOME", str(tmp_path / "home"))
    folder = KINDS["cogvideox"](tmp_path / "cog")
    assert main(["add", str(folder), "--title", "My Cog"]) == 0
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"local_my_cog: My Cog, {folder.resolve()}"
    assert main(["remove", "local_my_cog"]) == 0
    assert main(["add", str(tmp_path)]) == 2
    assert "model_index.json" in capsys.readouterr().err


def lora_file(path: Path, layer: str, inputs: int) -> Path:
    generator = torch.Generator().manual_seed(1)
    pair = {
        "lora_A.weight": torch.randn(2, inputs, generator=generator),
        "lora_B.weight": torch.randn(inputs, 2, generator=generator),
    }
    save_file({f"transformer.{layer}.{name}": value for name, value in pair.items()}, path)
    return path


def test_a_folder_with_a_lora_is_another_model(tmp_path: Path) -> None:
    folder, models = KINDS["ltx"](tmp_path / "tiny"), tmp_path / "models"
    width = safe_open(next((folder / "transformer").glob("*.safetensors")), "pt").get_slice(
        "transformer_blocks.0.attn1.to_q.weight"
    )
    lora = lora_file(tmp_path / "few.safetensors", "transformer_blocks.0.attn1.to_q", width.get_shape()[1])
    plain = add_local_model(folder, "Plain", models)
    card = add_local_model(folder, "Few steps", models, lambda card: with_lora(card, lora, 4, 1.0))
    assert (card.defaults.steps, card.defaults.guidance_scale) == (4, 1.0)
    registry = ModelRegistry(load_catalogue(own=models), CPU, torch.float32)
    clips = []
    for model in (plain.id, card.id):
        request = TextToVideoRequest(
            prompt="a fox", model=model, width=64, height=64, frames=9, steps=4, guidance_scale=1, preview_every=0
        )
        result = TextToVideoEngine(registry).run(request, RunContext(tmp_path / model))
        clips.append(np.concatenate(list(ClipReader(result.files[0].path))))
    assert not np.array_equal(*clips)
    with pytest.raises(InvalidRequest, match="There is a model “Plain” already"):
        add_local_model(folder, "Plain", models, lambda card: with_lora(card, lora))


@pytest.mark.parametrize(
    ("layer", "inputs", "says"),
    [("blocks.0.attn1.to_q", 8, "which .* has not"), ("transformer_blocks.0.attn1.to_q", 7, "which .* has in size")],
)
def test_a_lora_of_another_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    layer: str, inputs: int, says: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("FRAMEWRIGHT_HOME", str(tmp_path))
    folder = KINDS["ltx"](tmp_path / "tiny")
    lora = lora_file(tmp_path / "few.safetensors", layer, inputs)
    with pytest.raises(InvalidRequest, match=says):
        with_lora(card_of_folder(folder), lora)
    assert main(["add", str(folder), "--lora", str(lora)]) == 2
    assert "is for another model" in capsys.readouterr().err
    assert main(["add", str(folder), "--steps", "4"]) == 2
    assert "Give --lora FILE, too" in capsys.readouterr().err
    assert not list((tmp_path / "models").glob("*.yaml"))
