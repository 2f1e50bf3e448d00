"""Golden gates of the families on tiny random checkpoints: one short guided render to latents each."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engines.backend.loading import load_family
from tests.engines.tiny_models import TINY, card_for
from tests.golden.golden_file import compare_with_golden
from tests.golden.short_render import short_render

NAMES = ("ltx", "wan", "wan_vace", "cogvideox", "hunyuan_video")


@pytest.mark.parametrize("name", NAMES)
def test_golden_family(name: str, tmp_path: Path) -> None:
    model, save = TINY[name]
    folder = save(tmp_path / "model")
    family = load_family(card_for(folder, model), folder, torch.device("cpu"), torch.float32)
    compare_with_golden(f"tiny_{name}", short_render(family, tmp_path))
