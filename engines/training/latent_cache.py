"""Rendered clips as latents on disk: made once, read as memory maps, never a list in memory.

A cache folder holds .npy files: latents float16 [n, N, C] (not normalised), coverage uint8 [n, N] (object share of the
token, 0 … 255), caption int32 [n] (row in the caption tables), states float16 [m, L, 384], lengths uint8 [m], and
captions.json. N tokens in frame-major order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.backend.text_encoders import load_minilm
from engines.diorama.captions import caption
from engines.diorama.clip_spec import random_spec
from engines.diorama.render import render
from engines.training.linear_code import clip_to_tensor, object_coverage


@dataclass(frozen=True)
class LatentCache:
    """Memory maps of one cache folder, named as in the module's docstring."""

    latents: npt.NDArray[np.float16]
    coverage: npt.NDArray[np.uint8]
    caption: npt.NDArray[np.int32]
    states: npt.NDArray[np.float16]
    lengths: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.latents)

    def batch(self, rows: npt.NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """latents [B, N, C] float32, coverage [B, N] 0 … 1, states [B, L, 384], text mask [B, L]."""
        rows = np.sort(rows)
        latents = torch.from_numpy(self.latents[rows].astype(np.float32))
        coverage = torch.from_numpy(self.coverage[rows].astype(np.float32) / 255)
        captions = self.caption[rows]
        states = torch.from_numpy(self.states[captions].astype(np.float32))
        lengths = torch.from_numpy(self.lengths[captions].astype(np.int64))
        mask = (torch.arange(states.shape[1])[None] < lengths[:, None]).float()
        return latents, coverage, states, mask


def _render_part(folder: Path, vae: PatchVideoAutoencoder, frames: int, size: int, rows: range, seed: int) -> None:
    """Fills its rows of the shared files and writes its captions beside them. Row i depends on (seed, i) alone."""
    latents = np.load(folder / "latents.npy", mmap_mode="r+")
    coverage = np.load(folder / "coverage.npy", mmap_mode="r+")
    captions: list[str] = []
    for row in rows:
        random = np.random.default_rng([seed, row])
        spec = random_spec(random, frames=frames, size=size)
        captions.append(caption(spec, random))
        clip = render(spec, with_flow=False)
        with torch.no_grad():
            code = vae.encode(clip_to_tensor(clip)).latent_dist.mode()
        latents[row] = code[0].flatten(1).T.numpy()
        coverage[row] = (object_coverage(clip).flatten() * 255).round().byte().numpy()
    latents.flush()
    coverage.flush()
    (folder / f"captions.{rows.start}.json").write_text(json.dumps(captions), encoding="utf-8")


def build_cache(
    folder: Path, vae: PatchVideoAutoencoder, count: int, frames: int, size: int, seed: int, processes: int
) -> None:
    """Renders and encodes `count` training clips. Does nothing where the folder is complete already."""
    if (folder / "captions.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ((frames - 1) // 4 + 1) * (size // 16) ** 2
    channels = vae.config["latent_channels"]
    np.lib.format.open_memmap(folder / "latents.npy", "w+", np.float16, (count, tokens, channels)).flush()
    np.lib.format.open_memmap(folder / "coverage.npy", "w+", np.uint8, (count, tokens)).flush()
    edges = np.linspace(0, count, processes + 1).astype(int)
    parts = [range(int(a), int(b)) for a, b in pairwise(edges)]
    context = torch.multiprocessing.get_context("spawn")
    workers = [context.Process(target=_render_part, args=(folder, vae, frames, size, part, seed)) for part in parts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode:
            raise RuntimeError(f"rendering into {folder} failed with exit code {worker.exitcode}")
    captions = [text for part in parts for text in json.loads((folder / f"captions.{part.start}.json").read_text())]
    _encode_caption_table(folder, captions)


def _encode_caption_table(folder: Path, captions: list[str]) -> None:
    distinct = sorted(set(captions))
    index = {text: row for row, text in enumerate(distinct)}
    np.save(folder / "caption.npy", np.array([index[text] for text in captions], np.int32))
    states = np.lib.format.open_memmap(folder / "states.npy", "w+", np.float16, (len(distinct), 24, 384))
    lengths = np.zeros(len(distinct), np.uint8)
    encoder = load_minilm(states.shape[1])
    for start in range(0, len(distinct), 256):
        encoded = encoder.encode(distinct[start : start + 256])
        states[start : start + 256] = encoded.values.numpy()
        lengths[start : start + 256] = encoded.mask.sum(1).numpy()
    states.flush()
    np.save(folder / "lengths.npy", lengths)
    (folder / "captions.json").write_text(json.dumps(distinct), encoding="utf-8")


def open_cache(folder: Path) -> LatentCache:
    """Raises FileNotFoundError where the cache has not been built."""
    names = ("latents", "coverage", "caption", "states", "lengths")
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
    longest = int(arrays["lengths"].max())
    arrays["states"] = arrays["states"][:, :longest]
    return LatentCache(**arrays)
