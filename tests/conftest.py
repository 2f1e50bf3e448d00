"""Models that tests share. Torch is imported only by the tests that ask for one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from engines.backend.registry import ModelRegistry


def _registry(folder: Path, model: str) -> ModelRegistry:
    """A registry with one tiny model; float32 on the CPU, so that numbers can be compared."""
    import torch

    from engines.backend.registry import ModelRegistry
    from tests.engines.tiny_models import tiny_catalogue

    return ModelRegistry(tiny_catalogue(folder, model), torch.device("cpu"), torch.float32)


@pytest.fixture(scope="session")
def tiny_ltx_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from engines.backend.tiny import save_tiny_ltx

    return save_tiny_ltx(tmp_path_factory.mktemp("tiny_ltx"))


@pytest.fixture(scope="session")
def tiny_diorama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from engines.backend.tiny import save_tiny_diorama

    return save_tiny_diorama(tmp_path_factory.mktemp("tiny_diorama"))


@pytest.fixture(scope="session")
def tiny_ltx(tiny_ltx_folder: Path) -> ModelRegistry:
    """A registry whose “ltx_video” is tiny and random."""
    return _registry(tiny_ltx_folder, "ltx_video")


@pytest.fixture(scope="session")
def tiny_diorama(tiny_diorama_folder: Path) -> ModelRegistry:
    """A registry whose “diorama” is tiny and random."""
    return _registry(tiny_diorama_folder, "diorama")


@pytest.fixture(scope="session")
def bundled_model() -> ModelRegistry:
    """The real bundled model in float32. Where it is missing, tests fail in CI and are skipped elsewhere."""
    import torch

    from engines.backend.catalogue import load_catalogue
    from engines.backend.model_files import is_available
    from engines.backend.registry import ModelRegistry

    if not is_available(load_catalogue()["diorama"]):
        message = "assets/models/diorama/model_index.json is missing: the bundled model is not tested"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return ModelRegistry(device=torch.device("cpu"), dtype=torch.float32)
