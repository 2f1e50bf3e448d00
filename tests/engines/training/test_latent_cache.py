"""Caches: what lies in them is what the Diorama renders, row by row."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.backend.text_encoders import load_minilm
from engines.diorama.captions import caption
from engines.diorama.clip_spec import ClipSpec, random_spec
from engines.diorama.render import render
from engines.training.latent_cache import LatentCache, build_cache, open_cache
from engines.training.linear_code import clip_to_tensor, object_coverage
from tests.engines.training.conftest import CACHE


@pytest.fixture(scope="module")
def cache(prepared_folder: Path) -> LatentCache:
    return open_cache(prepared_folder / "cache" / "clips")


def spec_and_caption(row: int) -> tuple[ClipSpec, str]:
    """What row `row` has to hold: a function of (seed, row) alone."""
    random = np.random.default_rng([CACHE["seed"], row])
    spec = random_spec(random, frames=CACHE["frames"])
    return spec, caption(spec, random)


def test_a_cache_has_a_row_for_each_clip(cache: LatentCache) -> None:
    assert len(cache) == 12
    assert cache.latents.shape == (12, 72, 4)
    assert cache.latents.dtype == np.float16
    assert cache.coverage.shape == (12, 72)
    assert cache.caption.shape == (12,)


@pytest.mark.parametrize("row", [0, 7])
def test_a_row_is_its_clips_code_in_frame_major_order(row: int, cache: LatentCache, prepared_folder: Path) -> None:
    vae = PatchVideoAutoencoder.from_pretrained(prepared_folder / "vae")
    clip = render(spec_and_caption(row)[0], with_flow=False)
    code = vae.encode(clip_to_tensor(clip)).latent_dist.mode()[0]
    latents = torch.from_numpy(cache.latents[row].astype(np.float32)).unflatten(0, (2, 6, 6))
    assert torch.allclose(latents[1, 2, 3], code[:, 1, 2, 3], rtol=1e-3, atol=1e-3)
    assert torch.allclose(latents.permute(3, 0, 1, 2), code, rtol=1e-3, atol=1e-3)
    coverage = torch.from_numpy(cache.coverage[row] / 255.0)
    assert torch.allclose(coverage, object_coverage(clip).flatten().double(), atol=0.5 / 255 + 1e-6)


def test_captions_belong_to_their_rows(cache: LatentCache, prepared_folder: Path) -> None:
    distinct = json.loads((prepared_folder / "cache" / "clips" / "captions.json").read_text(encoding="utf-8"))
    assert [distinct[index] for index in cache.caption] == [spec_and_caption(row)[1] for row in range(12)]


def test_a_batch_is_what_the_rows_hold_with_their_text(cache: LatentCache) -> None:
    latents, coverage, states, mask = cache.batch(np.array([7, 2]))
    assert latents.dtype == coverage.dtype == states.dtype == mask.dtype == torch.float32
    assert torch.equal(latents[1], torch.from_numpy(cache.latents[7].astype(np.float32)))  # rows come sorted
    assert 0 <= coverage.min() < coverage.max() <= 1
    expected = load_minilm().encode([spec_and_caption(row)[1] for row in (2, 7)])
    longest = states.shape[1]
    assert torch.equal(mask, expected.mask[:, :longest])
    assert torch.allclose(states, expected.values[:, :longest], atol=2e-2)
    assert int(expected.mask.sum(1).max()) <= longest <= 24


def test_a_complete_cache_is_not_built_again(prepared_folder: Path) -> None:
    folder = prepared_folder / "cache" / "clips"
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    vae = PatchVideoAutoencoder.from_pretrained(prepared_folder / "vae")
    build_cache(folder, vae, count=99, frames=17, size=96, seed=0, processes=1)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_an_unfinished_cache_does_not_open(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_cache(tmp_path)
