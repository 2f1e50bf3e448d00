"""Caches: what lies in them is what the Diorama renders, row by row."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.backend.text_encoders import load_minilm
from engines.training.latent_cache import TEXT_TOKENS, CachePlan, LatentCache, build_cache, open_cache, render_row
from engines.training.linear_code import clip_to_tensor, object_coverage
from tests.engines.training.conftest import CACHE


@pytest.fixture(scope="module")
def cache(prepared_folder: Path) -> LatentCache:
    return open_cache(prepared_folder / "cache" / "clips")


def test_a_cache_has_a_row_for_each_clip(cache: LatentCache) -> None:
    assert len(cache) == 12
    assert cache.plan == CACHE
    assert cache.latents.shape == (12, 72, 4)
    assert cache.latents.dtype == cache.keys.dtype == np.float16
    assert cache.coverage.shape == (12, 72)
    assert cache.keys.shape == (12, 2, 24, 4)


@pytest.mark.parametrize("row", [0, 7])
def test_a_row_is_its_clips_code_in_frame_major_order(row: int, cache: LatentCache, prepared_folder: Path) -> None:
    vae = PatchVideoAutoencoder.from_pretrained(prepared_folder / "vae")
    clip = render_row(CACHE, row)[0]
    code = vae.encode(clip_to_tensor(clip.frames)).latent_dist.mode()[0]
    latents = torch.from_numpy(cache.latents[row].astype(np.float32)).unflatten(0, (3, 6, 4))
    assert torch.allclose(latents.permute(3, 0, 1, 2), code, rtol=1e-3, atol=1e-3)
    coverage = torch.from_numpy(cache.coverage[row] / 255.0)
    assert torch.allclose(coverage, object_coverage(clip).flatten().double(), atol=0.5 / 255 + 1e-6)


def test_keyframes_are_encoded_as_pictures_of_their_own(cache: LatentCache, prepared_folder: Path) -> None:
    vae = PatchVideoAutoencoder.from_pretrained(prepared_folder / "vae")
    frames = render_row(CACHE, 5)[0].frames
    for place, number in enumerate(CACHE.keyframes):
        alone = vae.encode(clip_to_tensor(frames[number : number + 1])).latent_dist.mode()[0, :, 0]
        found = torch.from_numpy(cache.keys[5, place].astype(np.float32)).unflatten(0, (6, 4)).permute(2, 0, 1)
        assert torch.allclose(found, alone, rtol=1e-3, atol=1e-3)


def test_captions_belong_to_their_rows(cache: LatentCache, prepared_folder: Path) -> None:
    distinct = json.loads((prepared_folder / "cache" / "clips" / "captions.json").read_text(encoding="utf-8"))
    assert [distinct[index] for index in cache.caption] == [render_row(CACHE, row)[1] for row in range(12)]


def test_a_batch_is_what_the_rows_hold_with_their_text(cache: LatentCache) -> None:
    rows = cache.batch(np.array([7, 2]))
    assert all(part.dtype == torch.float32 for part in (rows.latents, rows.coverage, rows.keys, rows.states, rows.mask))
    assert torch.equal(rows.latents[1], torch.from_numpy(cache.latents[7].astype(np.float32)))  # rows come sorted
    assert torch.equal(rows.keys[0], torch.from_numpy(cache.keys[2].astype(np.float32)))
    assert 0 <= rows.coverage.min() < rows.coverage.max() <= 1
    expected = load_minilm(TEXT_TOKENS).encode([render_row(CACHE, row)[1] for row in (2, 7)])
    longest = rows.states.shape[1]
    assert torch.equal(rows.mask, expected.mask[:, :longest])
    assert torch.allclose(rows.states, expected.values[:, :longest], atol=2e-2)
    assert int(expected.mask.sum(1).max()) == longest < TEXT_TOKENS


def test_a_complete_cache_is_not_built_again(prepared_folder: Path) -> None:
    folder = prepared_folder / "cache" / "clips"
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    vae = PatchVideoAutoencoder.from_pretrained(prepared_folder / "vae")
    build_cache(folder, vae, CachePlan(count=99, frames=17, seed=0), processes=1)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_an_unfinished_cache_does_not_open(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_cache(tmp_path)
