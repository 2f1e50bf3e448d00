"""Caches: what lies in them is what the Diorama renders, row by row."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.backend.text_encoders import load_minilm
from engines.errors import InvalidRequest
from engines.media.clip import Clip
from engines.media.writer import write_clip
from engines.training.cache_rows import CachePlan, render_row, with_what_there_is
from engines.training.json_lines import append_line
from engines.training.latent_cache import TEXT_TOKENS, LatentCache, build_cache, open_cache, open_named
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


def test_keyframes_are_pictures_too(cache: LatentCache, prepared_folder: Path) -> None:
    stills = open_named(prepared_folder / "cache", "stills of clips")
    assert len(stills) == 24
    assert (stills.plan.frames, stills.plan.slots, stills.plan.keyframes) == (1, 1, ())
    seen = stills.batch(np.array([5, 2]))  # frame 3 of clip 1 and frame 8 of clip 2, in rising order
    assert seen.latents.shape == (2, 24, 4)
    assert torch.equal(seen.latents[0], torch.from_numpy(cache.keys[1, 0].astype(np.float32)))
    assert torch.equal(seen.latents[1], torch.from_numpy(cache.keys[2, 1].astype(np.float32)))
    by_slot = cache.coverage.reshape(12, 3, 24)
    assert torch.equal(seen.coverage[1], torch.from_numpy(by_slot[2, 2] / np.float32(255)))
    assert seen.keys.shape[1] == 0
    whole = open_named(prepared_folder / "cache", "clips").batch(np.array([1, 2]))
    assert torch.equal(seen.states, whole.states)


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


@pytest.fixture
def curated(tmp_path: Path) -> CachePlan:
    """Two clips of a film that curation kept, one of them of another shape."""
    videos = tmp_path / "videos"
    videos.mkdir()
    frames = np.repeat(np.linspace(20, 220, 24).astype(np.uint8)[:, None, None, None], 64, 1).repeat(96, 2).repeat(3, 3)
    write_clip(videos / "fade.mp4", Clip(frames, Fraction(24)))
    line = {"file": "fade.mp4", "first": 4, "fps": 24, "measures": {}, "captions": ["it gets lighter", "a fade"]}
    shapes = [{"frames": 9, "height": 64, "width": 96}, {"frames": 17, "height": 64, "width": 96}]
    for shape in shapes:
        append_line(tmp_path / "manifest.jsonl", {**line, **shape})
    return CachePlan(
        count=50, frames=9, seed=1, height=64, width=96, keyframes=(8,),
        manifest=str(tmp_path / "manifest.jsonl"), videos=str(videos),
    )  # fmt: skip


def test_a_cache_of_curated_clips_holds_their_code(curated: CachePlan, prepared_folder: Path, tmp_path: Path) -> None:
    plan = with_what_there_is("films", curated)
    assert plan.count == 1
    vae = PatchVideoAutoencoder.from_pretrained(prepared_folder / "vae")
    build_cache(tmp_path / "cache", vae, plan, processes=1)
    cache = open_cache(tmp_path / "cache")
    shown = np.clip(np.linspace(20, 220, 24)[4:13], 0, 255).astype(np.uint8)
    frames = np.repeat(shown[:, None, None, None], 64, 1).repeat(96, 2).repeat(3, 3)
    code = vae.encode(clip_to_tensor(frames)).latent_dist.mode()[0].flatten(1).T
    np.testing.assert_allclose(cache.latents[0].astype(np.float32), code.detach().numpy(), atol=1.5)
    assert not cache.coverage.any()
    assert json.loads((tmp_path / "cache" / "captions.json").read_text(encoding="utf-8"))[0] in (
        "it gets lighter", "a fade",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"manifest": "nowhere.jsonl"}, "caches.films.manifest"),
        ({"videos": "nowhere"}, "caches.films.videos"),
        ({"frames": 33, "keyframes": ()}, "caches.films"),
    ],
)
def test_what_curation_did_not_leave_is_named(changes: dict[str, object], field: str, curated: CachePlan) -> None:
    with pytest.raises(InvalidRequest) as raised:
        with_what_there_is("films", replace(curated, **changes))  # type: ignore[arg-type]
    assert raised.value.field == field


def test_clips_of_some_words_are_taken_more_often(cache: LatentCache, prepared_folder: Path) -> None:
    texts = [render_row(CACHE, row)[1] for row in range(12)]
    word = texts[3].split()[1]
    weights = cache.weights({word: 3.0, texts[5]: 2.0})
    assert weights.tolist() == [3.0 if word in text else 2.0 if texts[5] in text else 1.0 for text in texts]
    assert cache.weights({}).tolist() == [1.0] * 12
    assert open_named(prepared_folder / "cache", "stills of clips").weights({word: 3.0}).shape == (24,)
