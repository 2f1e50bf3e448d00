"""Loading: what is cached, what is refused, and that nothing but local safetensors is read."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
import torch

from engines.backend.catalogue import Catalogue, load_catalogue
from engines.backend.families.video_family import VideoFamily
from engines.backend.loading import load_family
from engines.backend.memory.budget import ENVIRONMENT, memory_budget
from engines.backend.model_files import is_available, locate
from engines.backend.registry import ModelRegistry
from engines.errors import InvalidRequest, NotAvailable
from tests.engines.tiny_models import card_for, tiny_catalogue

CPU = torch.device("cpu")


def test_a_model_is_loaded_once_per_registry(tiny_diorama_folder: Path, tiny_diorama: ModelRegistry) -> None:
    models = ModelRegistry(tiny_catalogue(tiny_diorama_folder, "diorama"), CPU, torch.float32)
    first = models.load("diorama")
    assert models.load("diorama") is first
    assert (first.device, first.dtype) == (CPU, torch.float32)
    other = tiny_diorama.load("diorama")
    assert other is not first
    assert other.revision == first.revision, "the revision is a hash of the weights"


def test_models_that_do_not_fit_together_leave_the_device_one_for_the_other(
    tiny_diorama_folder: Path, tiny_ltx_folder: Path
) -> None:
    cards = [card_for(tiny_diorama_folder, "diorama"), card_for(tiny_ltx_folder, "ltx_video")]
    for budget, stays in ((10**9, True), (10**5, False)):
        models = ModelRegistry(Catalogue(cards), CPU, torch.float32, budget)
        first = models.load("diorama")
        models.load("ltx_video")
        assert isinstance(first, VideoFamily)
        assert any(value.is_meta for value in first.transformer.parameters()) != stays


def test_the_budget_is_what_a_person_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "2.5")
    assert memory_budget(CPU) == 2_500_000_000
    monkeypatch.setenv(ENVIRONMENT, "much")
    with pytest.raises(InvalidRequest, match="no amount of memory") as caught:
        memory_budget(CPU)
    assert "number of gigabytes" in caught.value.fix
    monkeypatch.delenv(ENVIRONMENT)
    assert 0 < memory_budget(CPU) < psutil.virtual_memory().total


def test_an_unknown_id_is_a_request_error(tiny_diorama: ModelRegistry) -> None:
    with pytest.raises(InvalidRequest) as caught:
        tiny_diorama.load("nothing")
    assert caught.value.fix == "Choose one of: diorama."


def test_a_missing_bundled_model_says_how_to_get_it_back(tmp_path: Path) -> None:
    card = card_for(tmp_path, "diorama")
    assert not is_available(card)
    with pytest.raises(NotAvailable) as caught:
        locate(card)
    assert caught.value.fix == "Clone the repository again, or run `git checkout -- assets/models`."


def test_a_pickle_is_never_loaded(tiny_diorama_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_diorama_folder, tmp_path / "model")
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(NotAvailable) as caught:
        load_family(card_for(folder, "diorama"), folder, CPU, torch.float32)
    assert caught.value.fix == "Bring the whole model again; weights must be .safetensors files."


def test_a_folder_cannot_choose_what_python_imports(tiny_diorama_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_diorama_folder, tmp_path / "model")
    config = folder / "vae" / "config.json"
    config.write_text(config.read_text().replace("PatchVideoAutoencoder", "os.system"))
    with pytest.raises(NotAvailable) as caught:
        load_family(card_for(folder, "diorama"), folder, CPU, torch.float32)
    assert caught.value.fix == "Use a folder with AutoencoderKLLTXVideo or PatchVideoAutoencoder."


def test_a_scheduler_that_is_not_followed_is_said_at_loading(tiny_diorama_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_diorama_folder, tmp_path / "model")
    (folder / "scheduler" / "scheduler_config.json").write_text('{"use_karras_sigmas": true}')
    with pytest.raises(NotAvailable, match="use_karras_sigmas"):
        load_family(card_for(folder, "diorama"), folder, CPU, torch.float32)


def test_a_checkpoint_that_contradicts_its_card_is_refused(tiny_diorama_folder: Path) -> None:
    card = card_for(tiny_diorama_folder, "diorama")
    facts = card.facts.model_copy(update={"temporal_compression": 8})
    with pytest.raises(NotAvailable, match="temporal_compression is 4, expected 8"):
        load_family(card.model_copy(update={"facts": facts}), tiny_diorama_folder, CPU, torch.float32)


def test_the_bundled_model_fits_its_card(bundled_model: ModelRegistry) -> None:
    family = bundled_model.load("diorama")
    assert family.channels == 128
    assert sum(path.stat().st_size for path in locate(family.card).rglob("*.safetensors")) <= 100e6
    assert load_catalogue()["diorama"].source.kind == "bundled"
