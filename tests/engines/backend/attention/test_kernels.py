"""FRAMEWRIGHT_ATTENTION chooses how attention is computed, and says what it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engines.backend.attention.kernels import ENVIRONMENT, kernels
from engines.backend.families.video_family import VideoFamily
from engines.backend.loading import load_family
from engines.backend.tiny import save_tiny_wan
from engines.errors import NotAvailable
from engines.sampling.site import Site
from tests.engines.tiny_models import card_for


@pytest.fixture(autouse=True)
def _only_here() -> Iterator[None]:
    """diffusers keeps the last choice for the whole process."""
    from diffusers.models.attention_dispatch import attention_backend

    with attention_backend("native"):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_wan(tmp_path_factory.mktemp("wan"))


def loaded(folder: Path) -> VideoFamily:
    return load_family(card_for(folder, "wan_2_1"), folder, torch.device("cpu"), torch.float32)


def answer(family: VideoFamily) -> torch.Tensor:
    geometry = family.geometry(64, 64, 9, 16)
    latents = torch.randn(1, family.channels, *geometry.grid, generator=torch.Generator().manual_seed(1))
    sigmas = torch.full((1, geometry.tokens), 0.5)
    return family.velocity(family.pack(latents, geometry), sigmas, family.encode_prompt(["a fox"]), Site(0, 0, 0.5))


def test_another_implementation_computes_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = loaded(folder)
    monkeypatch.setenv(ENVIRONMENT, "_native_math")
    other = loaded(folder)
    backends = {block.attn1.processor._attention_backend for block in other.transformer.blocks}
    assert {str(one.value) for one in backends} == {"_native_math"}
    assert torch.allclose(answer(usual), answer(other), atol=1e-5)


def test_what_is_unknown_missing_or_fetched_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "fast")
    with pytest.raises(NotAvailable, match="is no attention backend") as caught:
        loaded(folder)
    assert "native" in caught.value.fix
    monkeypatch.setenv(ENVIRONMENT, "sage")
    with pytest.raises(NotAvailable, match="cannot be used here"):
        loaded(folder)
    assert not [name for name in kernels() if "hub" in name], "nothing is fetched by itself"
