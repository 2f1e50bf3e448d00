"""Teaches a model to follow edges, depth or a mask: python -m engines.training.control --arm full --out FOLDER

The transformer stays as it is; a branch beside it learns (row 1, RelaCtrl): first a full one, that copies every block;
then `--arm light --layers 0 2 5 7`, at the layers that are worth most (`python -m benchmarks.following.relevance`).
Scenes are drawn first (a few minutes). A training that was killed goes on in its folder.

Shape legend: B clips, N tokens, C channels, K kinds of condition; clips uint8 [T, H, W, 3].
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from engines.backend.families.ltx import LTXFamily
from engines.conditioning.annotators import canny
from engines.conditioning.control.branch import KINDS, ControlBranch, controlled
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.random_scene import random_scene
from engines.training.bundled_model import load_model, tokens_of
from engines.training.drawn_rows import Kind, Row, draw_rows, open_rows
from engines.training.teaching import Lesson, teach

SCENES, SEED = 3600, 51
FRAMES, HEIGHT, WIDTH = 17, 96, 96
BATCH = 10
# The full branch begins as a copy of what is taught already, the light one's mixers begin at random.
RATES = {"full": 4e-4, "light": 8e-4}
LOGIT_MEAN, TEXT_DROPOUT = 0.7, 0.1
# How often each kind is taken: edges are the hardest.
OFTEN = {"edges": 0.5, "depth": 0.25, "mask": 0.25}
Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Scenes:
    """Memory maps: latents float16 [n, N, C] (normalised), conditions float16 [n, K, N, C], captions."""

    latents: npt.NDArray[np.float16]
    conditions: npt.NDArray[np.float16]
    captions: list[str]


def condition_video(scene: RenderedScene, kind: str) -> Frames:
    """What the branch is shown, [T, H, W, 3]: edges white on black; depth, near is white; things white on black.

    The scene must have been rendered with its truth.
    """
    if kind == "edges":
        return np.stack([canny(frame) for frame in scene.frames])
    if kind == "mask":
        grey = scene.coverage.sum(0).clip(0, 1)
    else:
        assert scene.truth is not None
        near = 1 / np.maximum(scene.truth.depth, 1e-3)
        grey = (near - near.min()) / max(float(near.max() - near.min()), 1e-6)
    return np.repeat(np.rint(grey * 255).astype(np.uint8)[..., None], 3, axis=-1)


def draw_scenes(folder: Path, processes: int) -> None:
    """Fills the folder. Does nothing where it is complete already."""
    tokens = ((FRAMES - 1) // 4 + 1) * (HEIGHT // 16) * (WIDTH // 16)
    kinds: dict[str, Kind] = {
        "latents": (np.float16, (tokens, 128)), "conditions": (np.float16, (len(KINDS), tokens, 128)),
    }  # fmt: skip
    draw_rows(folder, kinds, SCENES, _rows, (), processes)


def _rows() -> Callable[[int], Row]:
    family = load_model()

    def row_of(row: int) -> Row:
        random = np.random.default_rng([SEED, row])
        scene = render_scene(random_scene(random, frames=FRAMES, height=HEIGHT, width=WIDTH), truth=True)
        shown = [tokens_of(family, condition_video(scene, kind))[0].numpy() for kind in KINDS]
        values = {"latents": tokens_of(family, scene.frames)[0].numpy(), "conditions": np.stack(shown)}
        return values, caption(scene.spec, random).text

    return row_of


def open_scenes(folder: Path) -> Scenes:
    """Raises FileNotFoundError where nothing was drawn."""
    arrays, captions = open_rows(folder, ("latents", "conditions"))
    return Scenes(**arrays, captions=captions)


def step_loss(family: LTXFamily, branch: ControlBranch, scenes: Scenes, step: int) -> torch.Tensor:
    """Flow loss of a batch that follows one kind of condition. A function of the step."""
    random = np.random.default_rng([SEED, step])
    kind = int(random.choice(len(KINDS), p=[OFTEN[name] for name in KINDS]))
    rows = np.sort(random.choice(len(scenes.captions), BATCH, replace=False))
    generator = torch.Generator().manual_seed(SEED * 1_000_003 + step)
    clean = torch.from_numpy(scenes.latents[rows].astype(np.float32))
    condition = torch.from_numpy(scenes.conditions[rows, kind].astype(np.float32))
    dropped = random.random(BATCH) < TEXT_DROPOUT
    said = family.encode_prompt(["" if drop else scenes.captions[row] for row, drop in zip(rows, dropped, strict=True)])
    sigmas = (torch.randn(BATCH, generator=generator) + LOGIT_MEAN).sigmoid()
    noise = torch.randn(clean.shape, generator=generator)
    level = sigmas[:, None, None]
    geometry = family.geometry(HEIGHT, WIDTH, FRAMES, family.card.defaults.fps)
    dtype = family.dtype
    with (
        torch.autocast("cpu", dtype, enabled=dtype is not torch.float32),
        # In bfloat16 on a CPU the fused kernel's way back takes twice as long.
        sdpa_kernel(SDPBackend.MATH),
        controlled(family.transformer, branch, condition, kind),
    ):
        velocity = family.transformer(
            hidden_states=((1 - level) * clean + level * noise).to(dtype),
            encoder_hidden_states=said.values.clone().to(dtype), timestep=sigmas * 1000.0,
            encoder_attention_mask=said.mask.clone(),
            video_coords=family.coordinates(geometry).expand(BATCH, -1, -1), return_dict=False,
        )[0]  # fmt: skip
    return (velocity.float() - (noise - clean)).square().mean()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engines.training.control", description=__doc__)
    parser.add_argument("--arm", choices=("full", "light"), required=True)
    parser.add_argument("--layers", type=int, nargs="+", help="of the light branch")
    parser.add_argument("--groups", type=int, nargs="+", help="of its mixers, fewest where a layer is worth most")
    parser.add_argument("--scenes", type=Path, required=True, help="where the rendered scenes lie, or are to be drawn")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--processes", type=int, default=2, help="for drawing")
    arguments = parser.parse_args()
    if arguments.arm == "light" and (not arguments.layers or len(arguments.layers) != len(arguments.groups or ())):
        parser.error("a light branch needs --layers and as many --groups")
    draw_scenes(arguments.scenes, arguments.processes)
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    family = load_model()
    full = arguments.arm == "full"
    branch = ControlBranch.beside(family.transformer.float(), *(() if full else (arguments.layers, arguments.groups)))
    family.transformer.to(family.dtype)
    arguments.out.mkdir(parents=True, exist_ok=True)
    family.transformer.requires_grad_(False)
    scenes = open_scenes(arguments.scenes)
    lesson = Lesson(arguments.steps, RATES[arguments.arm], log_every=20)
    teach(branch.float(), lesson, lambda step: step_loss(family, branch, scenes, step), arguments.out)
    branch.half().save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
