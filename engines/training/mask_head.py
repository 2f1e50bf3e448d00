"""Teaches a model to select by words: python -m engines.training.mask_head --out FOLDER

The model stays as it is; a small head learns from rendered scenes and their exact masks (row 4). Scenes are drawn first
(a few minutes), then about fifteen minutes on one core. A training that was killed goes on in its folder.
--from latents trains the baseline: the same head, that sees the tokenizer's latents alone.

Shape legend: B clips, N tokens, C channels, T frames, h, w of a mask (DETAIL values for a cell).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from engines.backend.families.base import PromptEmbedding, Tokens
from engines.backend.families.video_family import VideoFamily
from engines.diorama.referring import random_reference
from engines.selection.sizes import resized
from engines.training.bundled_model import load_model, tokens_of
from engines.training.drawn_rows import Kind, Row, draw_rows, open_rows
from engines.training.teaching import Lesson, teach
from engines.word_selection.features import clip_features
from engines.word_selection.head import DETAIL, Found, WordMaskHead

# (frames, height, width) → scenes of that shape.
SHAPES = {(17, 96, 96): 7000, (17, 64, 128): 1000, (17, 128, 64): 1000}
SEED, BATCH, RATE = 41, 16, 1e-3
# Row 4 has 2 · focal + 5 · dice for masks that are mostly empty; here the focal term is ten times as small beside dice.
FOCAL, DICE, PRESENCE = 20.0, 5.0, 1.0


@dataclass(frozen=True)
class Scenes:
    """Memory maps of one shape: latents float16 [n, N, C] (normalised), masks uint8 [n, T, h, w], present bool [n]."""

    shape: tuple[int, int, int]
    latents: npt.NDArray[np.float16]
    masks: npt.NDArray[np.uint8]
    present: npt.NDArray[np.bool_]
    phrases: list[str]


def draw_scenes(folder: Path, shape: tuple[int, int, int], count: int, processes: int) -> None:
    """Fills the folder. Does nothing where it is complete already."""
    frames, height, width = shape
    rows, columns, slots = height // 16, width // 16, (frames - 1) // 4 + 1
    kinds: dict[str, Kind] = {
        "latents": (np.float16, (slots * rows * columns, 128)),
        "masks": (np.uint8, (frames, DETAIL * rows, DETAIL * columns)),
        "present": (np.bool_, ()),
    }
    draw_rows(folder, kinds, count, _rows, (shape,), processes)


def _rows(shape: tuple[int, int, int]) -> Callable[[int], Row]:
    family, (frames, height, width) = load_model(), shape
    size = (DETAIL * height // 16, DETAIL * width // 16)

    def row_of(row: int) -> Row:
        seen = random_reference(np.random.default_rng([SEED, *shape, row]), frames=frames, height=height, width=width)
        masks = np.rint(np.stack([resized(mask, size) for mask in seen.mask]) * 255).astype(np.uint8)
        latents = tokens_of(family, seen.scene.frames)[0].numpy()
        return {"latents": latents, "masks": masks, "present": np.array(seen.present)}, seen.phrase

    return row_of


def open_scenes(folder: Path, shape: tuple[int, int, int]) -> Scenes:
    """Raises FileNotFoundError where nothing was drawn."""
    arrays, phrases = open_rows(folder, ("latents", "masks", "present"))
    return Scenes(shape, **arrays, phrases=phrases)


def mask_loss(found: Found, masks: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Focal and dice loss of the masks, and whether it is there.

    Args:
        masks: [B, T, h, w], 0 … 1.
        present: float [B].
    """
    cross = functional.binary_cross_entropy_with_logits(found.masks, masks, reduction="none")
    shares = found.masks.sigmoid()
    wrong = shares * (1 - masks) + (1 - shares) * masks
    focal = (wrong**2 * cross).mean()
    overlap = 2 * (shares * masks).sum((1, 2, 3)) + 1
    dice = 1 - overlap / (shares.sum((1, 2, 3)) + masks.sum((1, 2, 3)) + 1)
    there = functional.binary_cross_entropy_with_logits(found.present, present)
    return FOCAL * focal + DICE * dice.mean() + PRESENCE * there


def step_loss(family: VideoFamily, head: WordMaskHead, every: list[Scenes], step: int) -> torch.Tensor:
    """Of a batch of one shape. A function of the step."""
    random = np.random.default_rng([SEED, step])
    sizes = np.array([len(some.phrases) for some in every], float)
    scenes = every[int(random.choice(len(every), p=sizes / sizes.sum()))]
    rows = np.sort(random.choice(len(scenes.phrases), BATCH, replace=False))
    frames, height, width = scenes.shape
    geometry = family.geometry(height, width, frames, family.card.defaults.fps)
    values = torch.from_numpy(scenes.latents[rows].astype(np.float32))
    tokens = Tokens(values, family.coordinates(geometry).expand(len(values), -1, -1), geometry.grid)
    said: PromptEmbedding = family.encode_prompt([scenes.phrases[row] for row in rows])
    features = clip_features(family, tokens, said, head.blocks).clone() if head.blocks else None
    found = head(values, features, geometry.grid, said.values.clone().float(), said.mask.clone())
    masks = torch.from_numpy(scenes.masks[rows].astype(np.float32) / 255)
    return mask_loss(found, masks, torch.from_numpy(scenes.present[rows].astype(np.float32)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engines.training.mask_head", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the head")
    parser.add_argument("--scenes", type=Path, required=True, help="where the rendered scenes lie, or are to be drawn")
    parser.add_argument("--from", dest="source", choices=("model", "latents"), default="model")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=2, help="for drawing")
    arguments = parser.parse_args()
    for shape, count in SHAPES.items():
        draw_scenes(arguments.scenes / "x".join(map(str, shape)), shape, count, arguments.processes)
    scenes = [open_scenes(arguments.scenes / "x".join(map(str, shape)), shape) for shape in SHAPES]
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    family = load_model()
    head = WordMaskHead() if arguments.source == "model" else WordMaskHead(blocks=())
    arguments.out.mkdir(parents=True, exist_ok=True)
    teach(head, Lesson(arguments.steps, RATE), lambda step: step_loss(family, head, scenes, step), arguments.out)
    head.half().save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
