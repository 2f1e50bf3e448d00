"""A training run in small: a random linear code, twelve short clips, a transformer of two narrow layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.training.cache_rows import CachePlan
from engines.training.latent_cache import build_cache
from engines.training.run import Run

CACHE = CachePlan(count=12, frames=9, seed=9, height=96, width=64, keyframes=(3, 8))
MakeRun = Callable[..., Run]


def tiny_config(steps: int, processes: int) -> dict[str, Any]:
    """As presets/training/*.yaml, float32 at the speed of a test."""
    return {
        "seed": 5,
        "processes": processes,
        "compile": False,
        "rope_theta": 128.0,
        "model": {
            "num_attention_heads": 2,
            "attention_head_dim": 12,
            "num_layers": 2,
            "caption_channels": 384,
            "cross_attention_dim": 24,
        },
        "tokenizer": {"channels": 4, "clips": 2, "pictures": 1, "seeds": [0]},
        "caches": {"clips": asdict(CACHE)},
        "window_slots": {"clips": 2},
        "noise": {
            "modes": {"nothing": 0.3, "first frame": 0.2, "keyframes": 0.3, "region": 0.2},
            "per_frame": 0.3,
            "text_dropout": 0.3,
            "window": 0.4,
        },
        "phases": [{"name": "clips", "steps": steps, "shares": {"clips": 1.0}}],
        "tokens_per_batch": 220,
        "rates": {"muon": 0.01, "adam": 0.001, "warmup": 2, "cooldown": 2, "floor": 0.05},
        "average_decay": 0.9,
    }


@pytest.fixture(scope="session")
def prepared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds vae/ and cache/clips/, as `prepare` leaves them."""
    folder = tmp_path_factory.mktemp("prepared")
    model = PatchVideoAutoencoder(latent_channels=4)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        model.components.copy_(torch.linalg.qr(torch.randn(3072, 4, generator=generator)).Q.T)
        model.latents_mean.copy_(torch.tensor([0.1, -0.2, 0.0, 0.3]))
        model.latents_std.copy_(torch.tensor([1.0, 1.5, 0.8, 1.2]))
    model.save_pretrained(folder / "vae")
    build_cache(folder / "cache" / "clips", model, CACHE, processes=1)
    return folder


@pytest.fixture
def make_run(prepared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeRun:
    """Makes runs on the prepared data: make_run(name, steps, processes)."""
    monkeypatch.setenv("FRAMEWRIGHT_CPU_DTYPE", "float32")

    def make(name: str, steps: int, processes: int = 2) -> Run:
        folder = tmp_path / name
        folder.mkdir()
        for part in ("vae", "cache"):
            (folder / part).symlink_to(prepared_folder / part)
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(tiny_config(steps, processes)), encoding="utf-8")
        return Run.open(folder, config)

    return make
