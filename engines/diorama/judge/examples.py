"""Renders that judges learn from, drawn once and read as memory maps.

A folder holds clips uint8 [n, 9, 96, 96, 3], words int16 [n, heads] (−1 where a head has nothing to look at), cells
uint8 [n, 9, 6, 6] (which noun covers a cell; the number of nouns for none) and fine_cells uint8 [n, 12, 12] (the same
of the middle frame), pairs uint8 [m, 2, 96, 96, 3] (two views of one object alone on grey) and who int32 [m] (equal for
the same sprite in the same colours). Every second clip and view went through the tokenizer and back, so that its blur
is not a wrong noun.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.diorama.judge.model import CELLS, FINE_CELLS, FRAMES
from engines.diorama.judge.view import JUDGE_SIDE, mask_crop, view
from engines.diorama.judge.words import FACE, FIGURE, heads, indices, scene_words
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.random_scene import random_scene
from engines.diorama.theatre.relations import relation_of
from engines.diorama.theatre.spec import Figure, SceneSpec, Thing
from engines.diorama.vocabulary import outside, world
from engines.worker_processes import even_parts, run_in_processes

Frames = npt.NDArray[np.uint8]
Shape = tuple[int, int, int]
# (frames, height, width) of the clips, and how often.
SHAPES = {(17, 96, 96): 0.6, (9, 96, 96): 0.1, (25, 96, 96): 0.1, (17, 128, 64): 0.1, (17, 64, 128): 0.1}
# Judges learn more often from what they are worst at: motions in short clips and in such that are not square, things
# that cover each other (0.44 of such pairs right where a seventh of the examples showed them, 0.97 of other pairs), and
# what is drawn with a pencil, whose nouns have no colours (0.27 right where as many were taught as are drawn).
TAUGHT_SHAPES = {(17, 96, 96): 0.5, (9, 96, 96): 0.16, (25, 96, 96): 0.1, (17, 128, 64): 0.12, (17, 64, 128): 0.12}
TOPICS = {"alone": 0.2, "apart": 0.22, "in front": 0.28, "figure": 0.13, "face": 0.02, "not square": 0.15}
SKETCHED = 0.18  # share of the taught scenes of things that become pencil drawings
COVERED = 0.3  # share of a cell from which it shows an object
HUES = (-150.0, -110.0, -70.0, 70.0, 110.0, 150.0)


@dataclass(frozen=True)
class Examples:
    """Memory maps, named as in the module's docstring."""

    clips: Frames
    words: npt.NDArray[np.int16]
    cells: Frames
    fine_cells: Frames
    pairs: Frames
    who: npt.NDArray[np.int32]


def round_trip(vae: PatchVideoAutoencoder, frames: Frames) -> Frames:
    """Through the tokenizer's linear path and back."""
    pixels = torch.from_numpy(frames).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    with torch.no_grad():
        decoded = vae.decode_linear(vae.encode(pixels).latent_dist.mode())[0]
    return ((decoded.permute(1, 2, 3, 0).clamp(-1, 1) + 1) * 127.5).round().byte().numpy()


def random_shot(random: np.random.Generator, held_out: bool, often: Mapping[Shape, float] = SHAPES) -> SceneSpec:
    """A scene of one of the shapes, from one side of the split, as often of each kind as the trunk is shown it."""
    shapes = list(often)
    frames, height, width = shapes[int(random.choice(len(shapes), p=list(often.values())))]
    return random_scene(random, held_out=held_out, frames=frames, height=height, width=width)


def taught_shot(random: np.random.Generator) -> SceneSpec:
    """A scene for a judge to learn from: as often of each topic as it is hard to read, not as often as it is drawn."""
    topic = str(random.choice(list(TOPICS), p=list(TOPICS.values())))
    while True:
        spec = random_shot(random, held_out=False, often=TAUGHT_SHAPES)
        if topic_of(spec) == topic:
            return _sketched(spec) if random.random() < SKETCHED else spec


def _sketched(spec: SceneSpec) -> SceneSpec:
    """The same as a pencil drawing, where that leaves what is true of it: a wall without its colour is another one."""
    able = all(isinstance(actor, Thing) for actor in spec.actors) and not spec.scene.endswith("wall")
    return spec.model_copy(update={"style": "pencil"}) if able else spec


def topic_of(spec: SceneSpec) -> str:
    """Which of TOPICS a scene is about."""
    if spec.height != spec.width:
        return "not square"
    first, *others = spec.actors
    if isinstance(first, Thing) and others and isinstance(others[0], Thing):
        return "in front" if relation_of(first, others[0]) == "in front of" else "apart"
    return "alone" if isinstance(first, Thing) else "figure" if isinstance(first, Figure) else "face"


def nouns_of_cells(scene: RenderedScene, cells: int = CELLS) -> Frames:
    """Which noun covers each of cells × cells places of what a judge sees, uint8 [9, cells, cells]."""
    names, pixels = heads()["noun"], JUDGE_SIDE // cells
    found = np.full((FRAMES, cells, cells), len(names), np.uint8)
    for actor, coverage in zip(scene.spec.actors, scene.coverage, strict=True):
        name = actor.noun if isinstance(actor, Thing) else FIGURE if isinstance(actor, Figure) else FACE
        shown = np.repeat((coverage * 255).clip(0, 255).astype(np.uint8)[..., None], 3, axis=-1)
        seen = view(shown)[..., 0].astype(np.float32) / 255
        if shown.shape[1] != shown.shape[2]:
            seen[:, _bars(shown.shape[1], shown.shape[2])] = 0
        share = seen.reshape(FRAMES, cells, pixels, cells, pixels).mean((2, 4))
        found[share > COVERED] = names.index(name)
    return found


def _bars(height: int, width: int) -> npt.NDArray[np.bool_]:
    """Where the view of a clip that is not square shows bars, bool [96, 96]."""
    inside = view(np.full((1, height, width, 3), 255, np.uint8))[0, ..., 0]
    return np.asarray(inside < 200)


@cache
def learnt_sprites() -> tuple[str, ...]:
    """Sprites that the identity head is shown: the vocabulary and half of what lies outside of it."""
    return (*world().nouns, *(name for name in outside() if _is_learnt(name)))


@cache
def unseen_sprites() -> tuple[str, ...]:
    """The other half: nothing was ever trained on them."""
    return tuple(name for name in outside() if not _is_learnt(name))


def _is_learnt(name: str) -> bool:
    return hashlib.sha256(f"identity|{name}".encode()).digest()[0] < 128


def views_of(noun: str, hue: float, random: np.random.Generator, vae: PatchVideoAutoencoder | None) -> Frames:
    """Two pictures of one object alone on grey, from two scenes, uint8 [2, 96, 96, 3]."""
    pictures: list[Frames] = []
    while len(pictures) < 2:
        thing = Thing(noun=noun, hue=hue, seed=int(random.integers(2**31)), motion=str(random.choice(_MOTIONS)))
        scene = str(random.choice(list(world().scenes)))
        spec = SceneSpec(scene=scene, actors=(thing,), sound=False, frames=5, seed=int(random.integers(2**31)))
        drawn = render_scene(spec)
        frame = int(random.integers(spec.frames))
        frames = round_trip(vae, drawn.frames) if vae is not None and random.random() < 0.5 else drawn.frames
        if (drawn.coverage[0, frame] > 0.5).sum() > 60:
            pictures.append(mask_crop(frames[frame], drawn.coverage[0, frame]))
    return np.stack(pictures)


_MOTIONS = ("stays still", "spins", "sways", "grows", "bounces")


def _fill(folder: Path, vae: PatchVideoAutoencoder, seed: int, clips: range, pairs: range) -> None:
    torch.set_num_threads(1)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in _SHAPES}
    for row in clips:
        scene = render_scene(taught_shot(np.random.default_rng([seed, row])))
        frames = round_trip(vae, scene.frames) if row % 2 else scene.frames
        arrays["clips"][row], arrays["cells"][row] = view(frames), nouns_of_cells(scene)
        arrays["fine_cells"][row] = nouns_of_cells(scene, FINE_CELLS)[FRAMES // 2]
        arrays["words"][row] = indices(scene_words(scene.spec))
    sprites = learnt_sprites()
    for row in pairs:
        random = np.random.default_rng([seed, 1, row])
        sprite = int(random.integers(len(sprites)))
        hue = int(random.integers(len(HUES))) if random.random() < 0.4 else -1
        arrays["pairs"][row] = views_of(sprites[sprite], HUES[hue] if hue >= 0 else 0.0, random, vae)
        arrays["who"][row] = sprite * 100 + hue + 1
    for array in arrays.values():
        array.flush()


_SHAPES = {
    "clips": (np.uint8, (FRAMES, JUDGE_SIDE, JUDGE_SIDE, 3)), "words": (np.int16, (len(heads()),)),
    "cells": (np.uint8, (FRAMES, CELLS, CELLS)), "fine_cells": (np.uint8, (FINE_CELLS, FINE_CELLS)),
    "pairs": (np.uint8, (2, JUDGE_SIDE, JUDGE_SIDE, 3)),
    "who": (np.int32, ()),
}  # fmt: skip


def draw_examples(folder: Path, vae: PatchVideoAutoencoder, seed: int, clips: int, pairs: int, processes: int) -> None:
    """Fills the folder. Does nothing where it is complete already."""
    if (folder / "complete").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, (kind, shape) in _SHAPES.items():
        count = pairs if name in ("pairs", "who") else clips
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, (count, *shape)).flush()
    parts = zip(even_parts(clips, processes), even_parts(pairs, processes), strict=True)
    run_in_processes(_fill, [(folder, vae, seed, *part) for part in parts], f"drawing into {folder}")
    (folder / "complete").touch()


def open_examples(folder: Path) -> Examples:
    """Raises FileNotFoundError where nothing was drawn."""
    return Examples(**{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _SHAPES})
