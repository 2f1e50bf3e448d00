"""Fetching a model from a hub: said first, resumed, compared with its hashes, and every refusal in words."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engines import free_disk
from engines.backend.catalogue import ModelCard, load_catalogue
from engines.backend.downloads import download, plan_download
from engines.backend.loading import load_family
from engines.backend.model_files import locate
from engines.backend.tiny import save_tiny_wan
from engines.errors import InvalidRequest, NotAvailable, ResourceError
from tests.engines.backend.fake_hub import COMMIT, FakeHub, serving

WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run with HF_HUB_OFFLINE; these talk to this machine only."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(free_disk, "SPARE_BYTES", 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = save_tiny_wan(tmp_path_factory.mktemp("wan"))
    (made / "transformer" / "old.bin").write_bytes(b"a pickle")
    (made / "README.md").write_text("not needed")
    return made


@pytest.fixture
def hub(folder: Path) -> Iterator[FakeHub]:
    with serving(folder) as running:
        yield running


def card(repo: str = "acme/tiny", revision: str = "main") -> ModelCard:
    data = load_catalogue()["wan_2_1"].model_dump()
    return ModelCard.model_validate(data | {"source": {"kind": "hub", "repo": repo, "revision": revision}})


def test_what_would_be_done_is_said_and_nothing_is_fetched(hub: FakeHub, tmp_path: Path) -> None:
    plan = plan_download(card(), tmp_path, hub.address)
    names = {name for name, _ in plan.files}
    assert WEIGHTS in names
    assert not {"README.md", "transformer/old.bin"} & names
    assert plan.missing_bytes == plan.total_bytes == sum((hub.folder / name).stat().st_size for name in names)
    licence, size = plan.sentences()
    assert "Apache-2.0" in licence
    assert "acme/tiny at main" in size
    assert hub.fetched == []


def test_what_is_fetched_renders_and_is_not_fetched_again(hub: FakeHub, tmp_path: Path) -> None:
    made = download(plan_download(card(), tmp_path, hub.address), hub.address)
    assert made.name == COMMIT
    assert load_family(card(), made, torch.device("cpu"), torch.float32).channels == 16
    count = len(hub.fetched)
    again = plan_download(card(), tmp_path, hub.address)
    assert again.missing_bytes == 0
    download(again, hub.address)
    assert len(hub.fetched) == count


def test_a_download_that_broke_goes_on_where_it_was(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10_000)
    hub.breaks_at[WEIGHTS] = 30_000
    made = download(plan_download(card(), tmp_path, hub.address), hub.address)
    assert [first for name, first in hub.fetched if name == WEIGHTS] == [0, 30_000]
    assert (made / WEIGHTS).read_bytes() == (hub.folder / WEIGHTS).read_bytes()


def test_a_damaged_file_is_named_removed_and_fetched_anew(hub: FakeHub, tmp_path: Path) -> None:
    hub.spoilt.add(WEIGHTS)
    plan = plan_download(card(), tmp_path, hub.address)
    with pytest.raises(NotAvailable, match="is damaged: its checksum"):
        download(plan, hub.address)
    hub.spoilt.clear()
    hub.fetched.clear()
    made = download(plan_download(card(), tmp_path, hub.address), hub.address)
    assert [name for name, _ in hub.fetched] == [WEIGHTS]
    assert (made / WEIGHTS).read_bytes() == (hub.folder / WEIGHTS).read_bytes()


def test_a_disk_that_is_too_small_is_said_before(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 1000))
    with pytest.raises(ResourceError, match="are free") as caught:
        download(plan_download(card(), tmp_path, hub.address), hub.address)
    assert caught.value.field == "model"
    assert hub.fetched == []


def test_every_refusal_of_the_hub_has_its_words(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match="has no acme/other at main"):
        plan_download(card("acme/other"), tmp_path, hub.address)
    hub.gated = True
    with pytest.raises(NotAvailable, match="agree to its terms") as caught:
        plan_download(card(), tmp_path, hub.address)
    assert "hf auth login" in caught.value.fix
    with pytest.raises(NotAvailable, match="could not be reached"):
        plan_download(card(), tmp_path, "http://127.0.0.1:9")
    with pytest.raises(InvalidRequest, match="is here already"):
        plan_download(load_catalogue()["diorama"], tmp_path, hub.address)


def test_a_repository_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "repo" / "vae").mkdir(parents=True)
    (tmp_path / "repo" / "vae" / "config.json").write_text("{}")
    with serving(tmp_path / "repo") as other, pytest.raises(NotAvailable, match=r"has no model_index\.json"):
        plan_download(card(), tmp_path / "cache", other.address)


def test_a_lora_comes_along_under_its_own_licence(
    hub: FakeHub, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    file = folder / "few.safetensors"
    pair = {"lora_A.weight": torch.ones(2, 24), "lora_B.weight": torch.ones(24, 2)}
    save_file({f"transformer.blocks.0.attn1.to_q.{name}": value for name, value in pair.items()}, file)
    source = {"kind": "hub", "repo": "acme/tiny", "revision": "main"}
    lora = {
        "source": source,
        "file": file.name,
        "size_bytes": 10,
        "licence": "LoRA's own",
        "licence_url": "https://x.y",
    }
    with_it = ModelCard.model_validate(card().model_dump() | {"loras": [lora]})
    try:
        plan = plan_download(with_it, tmp_path, hub.address)
        assert plan.total_bytes == plan_download(card(), tmp_path, hub.address).total_bytes + file.stat().st_size
        assert "LoRA's own" in plan.sentences()[1]
        download(plan_download(card(), tmp_path, hub.address), hub.address)
        with pytest.raises(NotAvailable, match=r"few\.safetensors of Wan 2\.1"):
            locate(with_it)
        download(plan, hub.address)
        made = locate(with_it)
        assert load_family(with_it, made, torch.device("cpu"), torch.float32).revision.startswith(f"{COMMIT}+")
        missing = ModelCard.model_validate(card().model_dump() | {"loras": [lora | {"file": "other.safetensors"}]})
        with pytest.raises(NotAvailable, match=r"has no other\.safetensors"):
            plan_download(missing, tmp_path, hub.address)
    finally:
        file.unlink()


def test_the_plan_counts_what_is_already_there(hub: FakeHub, tmp_path: Path) -> None:
    plan = plan_download(card(), tmp_path, hub.address)
    assert replace(plan, missing_bytes=0).total_bytes == plan.total_bytes
