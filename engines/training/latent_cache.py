"""Training clips as latents on disk: made once, read as memory maps, never a list in memory.

A cache folder holds clips of one shape. meta.json says which; .npy files hold latents float16 [n, N, C] (not
normalised), coverage uint8 [n, N] (share of the token that objects cover, 0 … 255), keys float16 [n, K, P, C] (single
frames encoded alone: what is given of a clip's middle and end), caption int32 [n] (row in the caption tables), states
float16 [m, L, 384], lengths uint8 [m]; captions.json the texts. N tokens in frame-major order, P those of a picture.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from engines.backend.autoencoders.patch_video import TIME, PatchVideoAutoencoder
from engines.backend.text_encoders import load_minilm
from engines.training.cache_rows import CachePlan, rows_of
from engines.training.linear_code import clip_to_tensor
from engines.training.run_config import STILLS
from engines.worker_processes import even_parts, run_in_processes

TEXT_TOKENS = 48
ROOMS = (12, 16, 24, TEXT_TOKENS)


@dataclass(frozen=True)
class Rows:
    """Some clips of a cache, float32: latents [B, N, C], coverage [B, N] 0 … 1, keys [B, K, P, C], states [B, L, 384],
    mask [B, L]."""

    latents: torch.Tensor
    coverage: torch.Tensor
    keys: torch.Tensor
    states: torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True)
class LatentCache:
    """Memory maps of one cache folder, named as in the module's docstring."""

    plan: CachePlan
    latents: npt.NDArray[np.float16]
    coverage: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.float16]
    caption: npt.NDArray[np.int32]
    states: npt.NDArray[np.float16]
    lengths: npt.NDArray[np.uint8]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.latents)

    def weights(self, words: Mapping[str, float]) -> npt.NDArray[np.float64]:
        """How often each clip is taken, [n]: 1, or the largest number whose words stand in its caption."""
        of_text = [max((often for word, often in words.items() if word in text), default=1.0) for text in self.texts]
        return np.array(of_text)[self.caption]

    def batch(self, rows: npt.NDArray[np.int64]) -> Rows:
        """The clips of these rows, in rising order."""
        rows = np.sort(rows)
        return self._rows(rows, self.latents[rows], self.coverage[rows], self.keys[rows])

    def _rows(
        self,
        clips: npt.NDArray[np.int64],
        latents: npt.NDArray[np.float16],
        coverage: npt.NDArray[np.uint8],
        keys: npt.NDArray[np.float16],
    ) -> Rows:
        captions = self.caption[clips]
        lengths = torch.from_numpy(self.lengths[captions].astype(np.int64))
        longest = int(lengths.max())
        return Rows(
            torch.from_numpy(latents.astype(np.float32)),
            torch.from_numpy(coverage.astype(np.float32) / 255),
            torch.from_numpy(keys.astype(np.float32)),
            torch.from_numpy(self.states[captions, :longest].astype(np.float32)),
            (torch.arange(longest)[None] < lengths[:, None]).float(),
        )


@dataclass(frozen=True)
class Stills:
    """The keyframes of a cache of clips as pictures: row r is keyframe r mod K of clip r div K."""

    clips: LatentCache

    @property
    def plan(self) -> CachePlan:
        return replace(self.clips.plan, frames=1, keyframes=())

    def __len__(self) -> int:
        return len(self.clips) * len(self.clips.plan.keyframes)

    def weights(self, words: Mapping[str, float]) -> npt.NDArray[np.float64]:
        """Of each picture, that of its clip."""
        return np.repeat(self.clips.weights(words), len(self.clips.plan.keyframes))

    def batch(self, rows: npt.NDArray[np.int64]) -> Rows:
        """The pictures of these rows, in rising order; coverage is that of the slot that a keyframe lies in."""
        clip, key = np.divmod(np.sort(rows), len(self.clips.plan.keyframes))
        slots = -(-np.array(self.clips.plan.keyframes) // TIME)
        coverage = self.clips.coverage[clip].reshape(len(clip), self.clips.plan.slots, -1)
        alone = self.clips.keys[clip, key]
        none = np.zeros((len(clip), 0, *alone.shape[1:]), np.float16)
        return self.clips._rows(clip, alone, coverage[np.arange(len(clip)), slots[key]], none)


@torch.no_grad()
def encode_row(
    vae: PatchVideoAutoencoder, frames: npt.NDArray[np.uint8], keyframes: tuple[int, ...]
) -> list[torch.Tensor]:
    """[latents [N, C], keys [K, P, C]]."""
    pixels = clip_to_tensor(frames)
    latents = vae.encode(pixels).latent_dist.mode()[0].flatten(1).T
    if not keyframes:
        return [latents, latents.new_zeros(0, latents.shape[0] // pixels.shape[2], latents.shape[1])]
    alone = pixels[0, :, list(keyframes)].transpose(0, 1)[:, :, None]
    return [latents, vae.encode(alone).latent_dist.mode().flatten(2).transpose(1, 2)]


def _render_part(folder: Path, vae: PatchVideoAutoencoder, plan: CachePlan, rows: range) -> None:
    """Fills its rows of the shared files and writes its captions beside them."""
    torch.set_num_threads(1)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in ("latents", "coverage", "keys")}
    captions: list[str] = []
    row_of = rows_of(plan)
    for row in rows:
        clip = row_of(row)
        captions.append(clip.caption)
        latents, keys = encode_row(vae, clip.frames, plan.keyframes)
        arrays["latents"][row] = latents.numpy()
        if plan.keyframes:
            arrays["keys"][row] = keys.numpy()
        arrays["coverage"][row] = (clip.coverage.flatten() * 255).round().byte().numpy()
    for array in arrays.values():
        array.flush()
    (folder / f"captions.{rows.start}.json").write_text(json.dumps(captions), encoding="utf-8")


def build_cache(folder: Path, vae: PatchVideoAutoencoder, plan: CachePlan, processes: int) -> None:
    """Renders (or reads) and encodes training clips. Does nothing where the folder is complete already."""
    if (folder / "captions.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    channels, cells = vae.config["latent_channels"], plan.rows * plan.columns
    shapes = {
        "latents": (np.float16, (plan.count, plan.tokens, channels)),
        "coverage": (np.uint8, (plan.count, plan.tokens)),
        "keys": (np.float16, (plan.count, len(plan.keyframes), cells, channels)),
    }
    for name, (kind, shape) in shapes.items():
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, shape).flush()
    parts = even_parts(plan.count, processes)
    run_in_processes(_render_part, [(folder, vae, plan, part) for part in parts], f"rendering into {folder}")
    captions = [text for part in parts for text in json.loads((folder / f"captions.{part.start}.json").read_text())]
    (folder / "meta.json").write_text(json.dumps(asdict(plan)), encoding="utf-8")
    _encode_caption_table(folder, captions, processes)


def _encode_caption_table(folder: Path, captions: list[str], processes: int) -> None:
    distinct = sorted(set(captions))
    index = {text: row for row, text in enumerate(distinct)}
    np.save(folder / "caption.npy", np.array([index[text] for text in captions], np.int32))
    lengths = np.array(load_minilm(TEXT_TOKENS).lengths(distinct), np.uint8)
    np.save(folder / "lengths.npy", lengths)
    shape = (len(distinct), TEXT_TOKENS, 384)
    np.lib.format.open_memmap(folder / "states.npy", "w+", np.float16, shape).flush()
    parts = [np.arange(len(distinct))[start::processes] for start in range(processes)]
    run_in_processes(_encode_captions, [(folder, distinct, lengths, part) for part in parts], "encoding captions")
    # Last: a folder with this file is complete.
    (folder / "captions.json").write_text(json.dumps(distinct), encoding="utf-8")


def _encode_captions(
    folder: Path, distinct: list[str], lengths: npt.NDArray[np.uint8], part: npt.NDArray[np.int64]
) -> None:
    """Fills its rows of the shared table, each caption in the least room: padding costs as much as words do."""
    torch.set_num_threads(1)
    states = np.load(folder / "states.npy", mmap_mode="r+")
    shorter = 0
    for room in ROOMS:
        rows, encoder = part[(lengths[part] > shorter) & (lengths[part] <= room)], load_minilm(room)
        for start in range(0, len(rows), 256):
            some = rows[start : start + 256]
            states[some, :room] = encoder.encode([distinct[row] for row in some]).values.numpy()
        shorter = room
    states.flush()


def open_named(folder: Path, name: str) -> LatentCache | Stills:
    """The cache of this name in a run's folder of caches, or its stills. Raises FileNotFoundError."""
    clips = open_cache(folder / name.removeprefix(STILLS))
    return Stills(clips) if name.startswith(STILLS) else clips


def open_cache(folder: Path) -> LatentCache:
    """Raises FileNotFoundError where the cache has not been built."""
    names = ("latents", "coverage", "keys", "caption", "states", "lengths")
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
    known = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    texts = tuple(json.loads((folder / "captions.json").read_text(encoding="utf-8")))
    return LatentCache(CachePlan(**{**known, "keyframes": tuple(known["keyframes"])}), **arrays, texts=texts)
