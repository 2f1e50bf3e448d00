"""A download that is begun on the page: a process of its own, how far it is, and how it ends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from engines.backend.catalogue import HubSource, load_catalogue
from engines.backend.model_files import is_whole
from engines.backend.tiny import save_tiny_wan
from studio.model_downloads import ModelDownloads, progress_html
from studio.tabs.models import AGREE_FIRST, ModelsTab
from tests.engines.backend.fake_hub import FakeHub, serving

MODEL = "wan_2_1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_wan(tmp_path_factory.mktemp("wan"))


@pytest.fixture
def hub(folder: Path) -> Iterator[FakeHub]:
    source = load_catalogue()[MODEL].source
    assert isinstance(source, HubSource)
    with serving(folder, source.repo, source.revision) as running:
        yield running


def environment(hub: FakeHub, cache: Path) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    return given | {"HF_ENDPOINT": hub.address, "HF_HUB_CACHE": str(cache)}


def ended(downloads: ModelDownloads) -> str:
    deadline = time.monotonic() + 120
    while downloads.is_running(MODEL) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not downloads.is_running(MODEL)
    return progress_html(downloads.of(MODEL))


def test_a_download_brings_the_whole_model(hub: FakeHub, tmp_path: Path) -> None:
    downloads = ModelDownloads(environment(hub, tmp_path))
    assert progress_html(downloads.of(MODEL)) == ""
    downloads.start(MODEL)
    assert 'role="status"' in progress_html(downloads.of(MODEL))
    assert "All of it is here" in ended(downloads)
    (made,) = tmp_path.glob("models--*/snapshots/*")
    assert is_whole(made)
    (made / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert not is_whole(made), "a download that was cut off is not taken for a model"


def test_what_goes_wrong_is_said_and_what_stops_is_kept(hub: FakeHub, tmp_path: Path) -> None:
    hub.gated = True
    downloads = ModelDownloads(environment(hub, tmp_path))
    downloads.start(MODEL)
    assert "agree to its terms" in ended(downloads)
    downloads.start(MODEL)
    downloads.stop(MODEL)
    assert "goes on from there" in progress_html(downloads.of(MODEL))


def test_nothing_is_fetched_before_the_licence_is_agreed_to(hub: FakeHub, tmp_path: Path) -> None:
    downloads = ModelDownloads(environment(hub, tmp_path))
    with gr.Blocks():
        tab = ModelsTab([("Diorama", "diorama"), ("Wan", MODEL)], downloads)
    said = tab._start(gr.Request(), MODEL, agreed=False)
    assert AGREE_FIRST in said[tab.progress]
    assert downloads.of(MODEL) is None
    assert hub.fetched == []
