"""What a judge can say of a scene: its heads, the words of each, and which of them are true of a scene.

Two things are named in one order, whatever the caption says first: the front one if they overlap, else the left one, or
the upper one where they stand rather above each other. How things move is asked of lone ones only.
"""

from __future__ import annotations

from functools import cache
from typing import get_args

import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.relations import relation_of
from engines.diorama.theatre.spec import Action, Colour, Figure, Garment, PatternKind, Portrait, SceneSpec, Thing
from engines.diorama.theatre.things import perform
from engines.diorama.vocabulary import world

NOTHING, FIGURE, FACE = "nothing", "figure", "face"
# Patterns whose two colours change places with no more than a shift: they are named in the order of COLOURS.
ALIKE: tuple[PatternKind, ...] = ("stripes", "upright stripes", "slanted stripes", "checks", "zigzags", "halves")
COLOURS: tuple[Colour, ...] = get_args(Colour)
RELATIONS = (NOTHING, "beside", "stacked", "in front")
PAIR_HEADS = ("noun", "second", "relation")
TOUCHING = 0.9  # distance of two middles over half of both sides: from here on the front one hides nothing
ASKEW = 0.8  # of the longer way: from here on things stand neither beside nor above each other


@cache
def heads() -> dict[str, tuple[str, ...]]:
    """Head → its words, in the order of the logits."""
    words = world()
    nouns = tuple(words.nouns)
    return {
        "noun": (*nouns, FIGURE, FACE),
        "second": (*nouns, NOTHING),
        "relation": RELATIONS,
        "motion": tuple(words.motions),
        "scene": tuple(words.scenes),
        "action": get_args(Action),
        "pattern": get_args(PatternKind),
        "colour": COLOURS,
        "second_colour": COLOURS,
        "garment": ("shirt", "dress"),
    }


def garment_words(garment: Garment) -> dict[str, str]:
    """Words of the heads that look at clothes."""
    colours = [garment.colour, garment.colour if garment.pattern == "plain" else garment.second]
    if garment.pattern in ALIKE:
        colours.sort(key=COLOURS.index)
    return {"pattern": garment.pattern, "colour": colours[0], "second_colour": colours[1], "garment": garment.kind}


def scene_words(spec: SceneSpec, decided: bool = True) -> dict[str, str]:
    """Head → the word that is true of the scene; a head that has nothing to look at is left out.

    Of scenes that are not square only what stands alone is named: in a judge's view two things, or a figure's clothes,
    are too small there.

    Args:
        decided: Leave out what nobody could tell from the picture: how a thing moves while the camera does, whether two
            things stand beside or above each other when they stand askew, and then also which is named first; and
            whether something stands in front of what it does not hide.

    Raises: ValueError for scenes that no judge was shown: no actor, more than two, or a second one that is no thing.
    """
    actors = spec.actors
    known = {"scene": spec.scene, "second": NOTHING, "relation": NOTHING}
    if spec.height != spec.width and not (len(actors) == 1 and isinstance(actors[0], Thing)):
        return {"scene": spec.scene}
    if len(actors) == 1 and isinstance(actors[0], Figure):
        return {**known, "noun": FIGURE, "action": actors[0].action, **garment_words(actors[0].garment)}
    if len(actors) == 1 and isinstance(actors[0], Portrait):
        return {**known, "noun": FACE}
    things = [actor for actor in actors if isinstance(actor, Thing)]
    if len(things) != len(actors) or len(things) not in (1, 2):
        raise ValueError("a judge reads one thing, two things, one figure or one portrait")
    if len(things) == 1:
        # Beside a camera that moves, what grows and what comes nearer look the same.
        moves = {} if decided and spec.camera.moves else {"motion": things[0].motion}
        return {**known, "noun": things[0].noun, **moves}
    return {"scene": spec.scene, **_words_of_two(spec, things[0], things[1], decided)}


def _words_of_two(spec: SceneSpec, one: Thing, other: Thing, decided: bool) -> dict[str, str]:
    relation, swapped, left_out = "in front", one.depth > other.depth, set[str]()
    if relation_of(one, other) == "in front of":
        if decided and not _hides(spec, one, other):
            left_out = {*PAIR_HEADS}
    else:
        right, down = _centres_apart(spec, one, other).mean(0)
        across = abs(right) >= abs(down)
        relation, swapped = ("beside" if across else "stacked"), (right if across else down) < 0
        if decided and min(abs(right), abs(down)) > ASKEW * max(abs(right), abs(down)):
            left_out = {"relation"} if right * down > 0 else {*PAIR_HEADS}
    first, second = (other, one) if swapped else (one, other)
    words = {"noun": first.noun, "second": second.noun, "relation": relation}
    return {head: word for head, word in words.items() if head not in left_out}


def _centres_apart(spec: SceneSpec, one: Thing, other: Thing) -> npt.NDArray[np.float64]:
    """From the first to the other in each frame, right and down in pixels, [T, 2]."""
    first, second = (perform(thing, spec.frames, spec.height, spec.width).centre for thing in (one, other))
    return second - first


def _hides(spec: SceneSpec, one: Thing, other: Thing) -> bool:
    """Whether one of them covers something of the other in any frame."""
    sides = sum(perform(thing, spec.frames, spec.height, spec.width).size for thing in (one, other))
    distance = np.linalg.norm(_centres_apart(spec, one, other), axis=1)
    return bool((distance < TOUCHING * sides / 2).any())


def indices(words: dict[str, str]) -> list[int]:
    """Numbers of the words in the order of `heads`, −1 where a head has nothing to look at."""
    return [names.index(words[head]) if head in words else -1 for head, names in heads().items()]
