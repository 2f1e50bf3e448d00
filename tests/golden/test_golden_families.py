"""Golden gates of the families on tiny random checkpoints: one short guided render to latents each."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engines.backend.loading import load_family
from engines.backend.tiny import (
    save_tiny_cogvideox,
    save_tiny_hunyuan_video,
    save_tiny_ltx,
    save_tiny_wan,
    save_tiny_wan_vace,
)
from tests.engines.tiny_models import card_for
from tests.golden.golden_file import compare_with_golden
from tests.golden.short_render import short_render

FAMILIES = {
    "ltx": ("ltx_video", save_tiny_ltx), "wan": ("wan_2_1", save_tiny_wan), "wan_vace": ("wan_2_1", save_tiny_wan_vace),
    "cogvideox": ("cogvideox_2b", save_tiny_cogvideox), "hunyuan_video": ("hunyuan_video_1_5", save_tiny_hunyuan_video),
}  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_golden_family(name: str, tmp_path: Path) -> None:
    model, save = FAMILIES[name]
    folder = save(tmp_path / "model")
    family = load_family(card_for(folder, model), folder, torch.device("cpu"), torch.float32)
    compare_with_golden(f"tiny_{name}", short_render(family, tmp_path))
