"""Scenes drawn at random for training, and the tenth of their combinations that no training ever sees."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import Protocol, TypeVar, get_args

import numpy as np

from engines.diorama.clip_spec import TURNING, combinations, is_held_out
from engines.diorama.theatre.relations import regions, relation_of
from engines.diorama.theatre.spec import (
    Action,
    Actor,
    Camera,
    Colour,
    Figure,
    Garment,
    PatternKind,
    Portrait,
    Relation,
    SceneSpec,
    Style,
    Thing,
)
from engines.diorama.vocabulary import world

HELD_OUT_SHARE = 0.1
# What a scene is about, and how often.
KINDS = {"one thing": 0.45, "two things": 0.27, "figure": 0.22, "portrait": 0.06}
CAMERA_SHARE, STYLE_SHARE, RESTING_SHARE = 0.15, 0.12, 0.4
ACTIONS: tuple[Action, ...] = get_args(Action)
RELATIONS: tuple[Relation, ...] = get_args(Relation)
COLOURS: tuple[Colour, ...] = get_args(Colour)
PATTERNS: tuple[PatternKind, ...] = get_args(PatternKind)
# Scenes that a paper doll or a face is not lost in.
QUIET = (
    "field", "beach", "desert", "snow", "room", "road", "red wall", "yellow wall", "purple wall", "pink wall",
    "grey wall",
)  # fmt: skip
# Beside each other things move up and down, above each other from side to side: there is room for that.
BESIDE = ("rises", "falls", "bounces", "spins", "grows", "shrinks", "sways", "stays still")
STACKED = ("slides left", "slides right", "spins", "grows", "shrinks", "sways", "stays still")
OVERLAPPING = ("stays still", "sways", "spins")
NEAR, FAR = 2.5, 5.0
Cast = tuple[tuple[Actor, ...], str]
T = TypeVar("T")


class Pick(Protocol):
    """How one combination of many is chosen."""

    def __call__(self, choices: Sequence[T], /) -> T: ...


def hashed(*words: str) -> bool:
    """True for the tenth of combinations that is held out: decided by a hash, so it never changes."""
    digest = hashlib.sha256("|".join(("theatre", *words)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < HELD_OUT_SHARE


def is_held_out_scene(spec: SceneSpec) -> bool:
    """Whether what the scene is about is a combination that no training ever sees."""
    first = spec.actors[0] if spec.actors else None
    second = spec.actors[1] if len(spec.actors) == 2 else None
    if isinstance(first, Thing) and isinstance(second, Thing):
        return hashed(first.noun, relation_of(first, second), second.noun)
    if isinstance(first, Thing):
        return is_held_out(first.noun, first.motion, spec.scene)
    if isinstance(first, Figure):
        worn = first.garment
        return hashed(first.action, worn.pattern, worn.colour, worn.second)
    return first is not None and hashed("portrait", spec.scene)


def random_scene(
    random: np.random.Generator,
    *,
    held_out: bool = False,
    kinds: Mapping[str, float] = KINDS,
    frames: int = 17,
    height: int = 96,
    width: int = 96,
) -> SceneSpec:
    """A scene from one side of the split. kinds: how often it is about what."""

    def pick(choices: Sequence[T]) -> T:
        return choices[int(random.integers(len(choices)))]

    kind = str(random.choice(list(kinds), p=list(kinds.values())))
    actors, scene = _CASTS[kind](random, held_out, pick)
    camera = _camera(random) if frames > 1 and random.random() < CAMERA_SHARE else Camera()
    style = _style(random, scene) if all(isinstance(actor, Thing) for actor in actors) else "plain"
    return SceneSpec(
        scene=scene, actors=actors, camera=camera, style=style, sound=False, frames=frames, height=height, width=width,
        seed=_seed(random),
    )  # fmt: skip


def held_out_scenes(
    kind: str, count: int, seed: int, *, frames: int = 17, height: int = 96, width: int = 96
) -> list[SceneSpec]:
    """Held-out combinations at equal distances in their fixed order: chosen by number, not by looks.

    With a camera that rests and in plain style.

    Args:
        kind: One of KINDS.
        seed: Of places, sizes and whatever else varies.
    """
    made = []
    for row in range(count):

        def pick(choices: Sequence[T], row: int = row) -> T:
            return choices[round(row * (len(choices) - 1) / max(1, count - 1))]

        random = np.random.default_rng([seed, row])
        actors, scene = _CASTS[kind](random, True, pick)
        made.append(
            SceneSpec(scene=scene, actors=actors, sound=False, frames=frames, height=height, width=width,
                      seed=_seed(random))
        )  # fmt: skip
    return made


def _style(random: np.random.Generator, scene: str) -> Style:
    """Of things only: a garment or a wall without its colour is another one."""
    if random.random() > STYLE_SHARE:
        return "plain"
    return "pixel" if scene.endswith("wall") or random.random() < 0.5 else "pencil"


def _seed(random: np.random.Generator) -> int:
    return int(random.integers(2**31))


def _one_thing(random: np.random.Generator, held_out: bool, pick: Pick) -> Cast:
    noun, motion, scene = pick(combinations(held_out))
    return (Thing(noun=noun, motion=motion, seed=_seed(random)),), scene


@cache
def pairs(held_out: bool) -> tuple[tuple[str, Relation, str], ...]:
    """(thing, relation, other thing) of one side of the split."""
    nouns = tuple(world().nouns)
    every = ((a, relation, b) for a, relation, b in product(nouns, RELATIONS, nouns) if a != b)
    return tuple(one for one in every if hashed(*one) == held_out)


def _two_things(random: np.random.Generator, held_out: bool, pick: Pick) -> Cast:
    first, relation, second = pick(pairs(held_out))
    overlap = relation == "in front of"
    motions = OVERLAPPING if overlap else BESIDE if relation in ("left of", "right of") else STACKED
    depths, largeness = ((NEAR, FAR), (0.95, 1.25)) if overlap else ((NEAR, NEAR), (1.32, 1.32))
    made = tuple(
        Thing(noun=noun, motion=_motion(noun, motions, random), region=place, depth=depth, largeness=large,
              seed=_seed(random))
        for noun, place, depth, large in zip((first, second), regions(relation), depths, largeness, strict=True)
    )  # fmt: skip
    return made, str(random.choice(list(world().scenes)))


def _motion(noun: str, motions: tuple[str, ...], random: np.random.Generator) -> str:
    able = [motion for motion in motions if motion not in TURNING or world().nouns[noun].turns]
    return "stays still" if random.random() < RESTING_SHARE else str(random.choice(able))


@cache
def costumes(held_out: bool) -> tuple[tuple[Action, PatternKind, Colour, Colour], ...]:
    """(action, pattern, colour, second colour) of one side of the split; of a plain garment both are the same."""
    every = product(ACTIONS, PATTERNS, COLOURS, COLOURS)
    fitting = (one for one in every if (one[2] == one[3]) == (one[1] == "plain"))
    return tuple(one for one in fitting if hashed(*one) == held_out)


def _figure(random: np.random.Generator, held_out: bool, pick: Pick) -> Cast:
    action, pattern, colour, second = pick(costumes(held_out))
    garment = Garment(kind="dress" if random.random() < 0.5 else "shirt", pattern=pattern, colour=colour, second=second)
    return (Figure(action=action, garment=garment, seed=_seed(random)),), str(random.choice(QUIET))


def _portrait(random: np.random.Generator, held_out: bool, pick: Pick) -> Cast:
    scenes = [scene for scene in QUIET if hashed("portrait", scene) == held_out]
    return (Portrait(speaks=bool(random.random() < 0.75), seed=_seed(random)),), str(random.choice(scenes))


def _camera(random: np.random.Generator) -> Camera:
    kind, sign = int(random.integers(4)), float(random.choice([-1.0, 1.0]))
    if kind == 0:
        return Camera(pan=(sign * float(random.uniform(0.06, 0.11)), 0.0))
    if kind == 1:
        return Camera(zoom=float(random.uniform(1.2, 1.35)) ** sign)
    if kind == 2:
        return Camera(roll=sign * float(random.uniform(9, 16)))
    return Camera(travel=sign * float(random.uniform(0.35, 0.6)))


_CASTS = {"one thing": _one_thing, "two things": _two_things, "figure": _figure, "portrait": _portrait}
