"""Phrases about one actor of a scene, with its exact mask: what a selection by words learns from and is measured on.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.random_scene import held_out_scenes, random_scene
from engines.diorama.theatre.spec import Figure, SceneSpec, Thing
from engines.diorama.vocabulary import world

ABSENT_SHARE, MOVING_SHARE = 0.12, 0.3
# One thing is found whatever the phrase says: which of two is meant takes more to learn.
KINDS = {"one thing": 0.25, "two things": 0.5, "figure": 0.2, "portrait": 0.05}


@dataclass(frozen=True)
class Referred:
    """Attributes:
    phrase: "the fox", "a fox that bounces", "the paper doll".
    mask: What is seen of the actor, float32 [T, H, W], 0 … 1; nothing where the phrase names what is not there.
    """

    scene: RenderedScene
    phrase: str
    mask: npt.NDArray[np.float32]
    present: bool


def random_reference(random: np.random.Generator, **shape: int) -> Referred:
    """From the combinations that are not held out. shape: frames, height, width."""
    spec = random_scene(random, held_out=False, kinds=KINDS, **shape)
    scene = render_scene(spec)
    if random.random() < ABSENT_SHARE:
        return Referred(scene, absent_phrase(spec, random), np.zeros_like(scene.coverage[0]), False)
    actor = int(random.integers(len(spec.actors)))
    return Referred(scene, phrase_for(spec, actor, random), scene.coverage[actor], True)


def held_out_references(kind: str, count: int, seed: int, **shape: int) -> list[Referred]:
    """Of held-out scenes of a kind (see random_scene.KINDS), of every second one the last actor."""
    made = []
    for index, spec in enumerate(held_out_scenes(kind, count, seed, **shape)):
        scene, actor = render_scene(spec), index % len(spec.actors)
        made.append(Referred(scene, phrase_for(spec, actor), scene.coverage[actor], True))
    return made


def phrase_for(spec: SceneSpec, actor: int, random: np.random.Generator | None = None) -> str:
    """A phrase that means one actor: with a generator in varied words, without one "the" and its name."""
    one, said = spec.actors[actor], caption(spec, random)
    if random is None:
        return f"the {_name(one)}"
    begin, end = said.phrases[actor]
    ways = [said.text[begin:end], f"the {_name(one)}", _name(one)]
    phrase = ways[int(random.integers(len(ways)))]
    if isinstance(one, Thing) and spec.frames > 1 and random.random() < MOVING_SHARE:
        noun = world().nouns[one.noun]
        words = (world().motions_plural if noun.plural else world().motions)[one.motion]
        return f"{phrase} that {words[int(random.integers(len(words)))]}"
    return phrase


def absent_phrase(spec: SceneSpec, random: np.random.Generator) -> str:
    """A phrase that means nothing in the scene."""
    there = {actor.noun for actor in spec.actors if isinstance(actor, Thing)}
    others = [noun for noun in world().nouns if noun not in there]
    return f"the {others[int(random.integers(len(others)))]}"


def _name(actor: Any) -> str:
    if isinstance(actor, Thing):
        return actor.noun
    return "paper doll" if isinstance(actor, Figure) else "face"
