from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client

from engines.backend.catalogue import load_catalogue
from engines.backend.model_files import is_available
from tests.studio.moving_square.running import RunningStudio, running_studio


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("client") / "home") as running:
        yield running


@pytest.fixture(scope="session")
def real_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """As `python app.py` starts it. Without the bundled model tests fail in CI and are skipped elsewhere."""
    if not is_available(load_catalogue()["diorama"]):
        message = "assets/models/diorama/model_index.json is missing: the API is not tested with the real engine"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with running_studio(tmp_path_factory.mktemp("real") / "home", real_engine=True) as running:
        yield running


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def client(studio: RunningStudio, downloads: Path) -> Client:
    return Client(studio.url, download_files=downloads, verbose=False)
