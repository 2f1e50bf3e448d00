"""Sentences about a scene, and which words speak of which actor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.diorama.theatre.garments import words_of
from engines.diorama.theatre.relations import relation_of
from engines.diorama.theatre.spec import Action, Actor, Figure, Relation, SceneSpec, Style, Thing
from engines.diorama.vocabulary import Noun, outside, world

RELATION_WORDS: dict[Relation, tuple[str, ...]] = {
    "left of": ("to the left of", "on the left of"), "right of": ("to the right of", "on the right of"),
    "above": ("above", "over"), "below": ("below", "under"), "in front of": ("in front of",),
}  # fmt: skip
ACTION_WORDS: dict[Action, tuple[str, ...]] = {
    "stands still": ("stands still", "does not move"), "walks left": ("walks to the left", "walks left"),
    "walks right": ("walks to the right", "walks right"), "waves": ("waves", "is waving"),
    "dances": ("dances", "is dancing"), "jumps": ("jumps", "is jumping"), "claps": ("claps", "is clapping"),
}  # fmt: skip
STYLE_WORDS: dict[Style, str] = {"pencil": "a pencil drawing of ", "pixel": "pixel art of ", "night": "in the dark, "}


@dataclass(frozen=True)
class Caption:
    """One sentence.

    Attributes:
        phrases: For each actor of the scene, (begin, end) of the characters that speak of it.
    """

    text: str
    phrases: tuple[tuple[int, int], ...]


def caption(spec: SceneSpec, random: np.random.Generator | None = None) -> Caption:
    """Says who does what where: with a generator in varied words, without one in the first ones."""
    where, moves = _pick(world().scenes[spec.scene], random), spec.frames > 1
    who = [_who(actor) for actor in spec.actors]
    does = [_does(actor, random) if moves else "" for actor in spec.actors]
    if not who:
        sentence = f"an empty scene {where}"
    elif len(who) == 1:
        sentence = _single(who[0], does[0], where, random)
    else:
        sentence = _several(spec, who, does, where, random)
    text = STYLE_WORDS.get(spec.style, "") + sentence + (camera_words(spec) if moves else "")
    phrases, begin = [], 0
    for phrase in who:
        at = text.index(phrase, begin)
        phrases.append((at, at + len(phrase)))
        begin = at + len(phrase)
    return Caption(text, tuple(phrases))


def _pick(words: tuple[str, ...], random: np.random.Generator | None) -> str:
    return words[0] if random is None else str(words[int(random.integers(len(words)))])


def _who(actor: Actor) -> str:
    if isinstance(actor, Thing):
        return _noun(actor).with_article
    if isinstance(actor, Figure):
        return f"a paper doll in {words_of(actor.garment)}"
    return "a face"


def _noun(thing: Thing) -> Noun:
    return world().nouns.get(thing.noun) or outside()[thing.noun]


def _does(actor: Actor, random: np.random.Generator | None) -> str:
    if isinstance(actor, Thing):
        words = world().motions_plural if _noun(actor).plural else world().motions
        return _pick(words[actor.motion], random)
    if isinstance(actor, Figure):
        return _pick(ACTION_WORDS[actor.action], random)
    return _pick(("talks", "is talking") if actor.speaks else ("is silent", "does not talk"), random)


def _single(who: str, does: str, where: str, random: np.random.Generator | None) -> str:
    templates: tuple[str, ...] = ("{who} {does} {where}", "{where}, {who} {does}", "{who} that {does} {where}")
    if not does:
        templates = ("{who} {where}", "{where}, {who}")
    return _pick(templates, random).format(who=who, does=does, where=where)


def _several(spec: SceneSpec, who: list[str], does: list[str], where: str, random: np.random.Generator | None) -> str:
    """The first one by its relation to the second; further ones are added."""
    relation = _pick(RELATION_WORDS[relation_of(spec.actors[0], spec.actors[1])], random)
    other = spec.actors[1]
    rests = isinstance(other, Thing) and other.motion == "stays still"
    second = who[1] if rests or not does[1] else f"{who[1]} that {does[1]}"
    further = "".join(f", and {phrase} {action}".rstrip() for phrase, action in zip(who[2:], does[2:], strict=True))
    return f"{f'{who[0]} {does[0]}'.strip()} {relation} {second}{further} {where}"


def camera_words(spec: SceneSpec) -> str:
    """ ", the camera pans left"; "" while it rests."""
    camera, said = spec.camera, []
    right, down = camera.pan
    if max(abs(right), abs(down)) > 0.02:
        way = ("right" if right > 0 else "left") if abs(right) >= abs(down) else ("down" if down > 0 else "up")
        said.append(f"pans {way}")
    if abs(camera.zoom - 1) > 0.03:
        said.append("zooms in" if camera.zoom > 1 else "zooms out")
    if abs(camera.travel) > 0.03:
        said.append("moves closer" if camera.travel > 0 else "moves away")
    if abs(camera.roll) > 2:
        said.append("rolls")
    return f", the camera {' and '.join(said)}" if said else ""
