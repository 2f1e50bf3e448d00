"""The words of the Diorama, read from assets/diorama/world.yaml. No torch, no numpy: the page asks this module."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

WORLD_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "diorama"


@dataclass(frozen=True)
class Noun:
    """A thing that can be drawn. `article` comes before it in a caption ("a", "an", "a slice of", "" for plurals)."""

    name: str
    sprite: str
    article: str
    plural: bool
    turns: bool

    @property
    def with_article(self) -> str:
        return f"{self.article} {self.name}".strip()


@dataclass(frozen=True)
class World:
    """All words. `motions` and `scenes` map a name to its phrasings; `glue`: words without a picture of their own."""

    nouns: dict[str, Noun]
    motions: dict[str, tuple[str, ...]]
    motions_plural: dict[str, tuple[str, ...]]
    scenes: dict[str, tuple[str, ...]]
    glue: frozenset[str]


def _noun(name: str, data: dict[str, Any]) -> Noun:
    plural = bool(data.get("plural", False))
    article = "some" if plural else ("an" if name[0] in "aeiou" else "a")
    return Noun(name, data["sprite"], data.get("article", article), plural, bool(data.get("turns", True)))


@cache
def world() -> World:
    data = yaml.safe_load((WORLD_FOLDER / "world.yaml").read_text(encoding="utf-8"))
    return World(
        nouns={name: _noun(name, values) for name, values in data["nouns"].items()},
        motions={name: tuple(values["says"]) for name, values in data["motions"].items()},
        motions_plural={name: tuple(values["plural"]) for name, values in data["motions"].items()},
        scenes={name: tuple(values["says"]) for name, values in data["scenes"].items()},
        glue=frozenset(data["glue"].split()),
    )


@cache
def outside() -> dict[str, Noun]:
    """Things that can be drawn and that no training ever saw, from outside.yaml."""
    data = yaml.safe_load((WORLD_FOLDER / "outside.yaml").read_text(encoding="utf-8"))
    return {name: _noun(name, values) for name, values in data.items()}


def sprite_path(folder: Path, noun: str) -> Path:
    """Where a noun's picture lies in a folder of pictures."""
    return folder / f"{noun.replace(' ', '_')}.webp"


def sprite_file(noun: str) -> Path:
    """Where the picture of a thing lies, of the vocabulary or from outside of it; there is none for other words."""
    folder = "sprites_outside" if noun in outside() else "sprites"
    return sprite_path(WORLD_FOLDER / folder, noun)


def vocabulary() -> dict[str, list[str]]:
    """Names of all nouns, motions and scenes, in the world's order, for menus and completions."""
    words = world()
    return {"nouns": list(words.nouns), "motions": list(words.motions), "scenes": list(words.scenes)}


def chip_phrases() -> dict[str, list[tuple[str, str]]]:
    """Pairs (label, text to insert into a prompt) for nouns, motions and scenes."""
    words = world()
    return {
        "nouns": [(noun.name, noun.with_article) for noun in words.nouns.values()],
        "motions": [(name, phrases[0]) for name, phrases in words.motions.items()],
        "scenes": [(name, phrases[0]) for name, phrases in words.scenes.items()],
    }


def example_prompts() -> list[str]:
    """Prompts that the bundled model was made for, to click."""
    return [
        "a fox bounces on a green field",
        "a red balloon rises in the sky, among the clouds",
        "on the beach, an apple spins",
        "a penguin slides left in the snow",
        "a rocket circles at night",
        "a whale sways under water",
    ]


def _stem(word: str) -> str:
    for ending in ("ing", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@cache
def _known_stems() -> frozenset[str]:
    words = world()
    texts = [*words.nouns, *words.motions, *words.scenes]
    for phrases in (*words.motions.values(), *words.motions_plural.values(), *words.scenes.values()):
        texts.extend(phrases)
    found = {_stem(word) for text in texts for word in re.findall(r"[a-z']+", text.lower())}
    return frozenset(found | {_stem(word) for word in words.glue} | words.glue)


def unknown_words(prompt: str) -> list[str]:
    """Words of the prompt that the bundled model has never seen, in their order, each once."""
    unknown: list[str] = []
    for word in re.findall(r"[\w']+", prompt.lower()):
        if word not in _known_stems() and _stem(word) not in _known_stems() and word not in unknown:
            unknown.append(word)
    return unknown
