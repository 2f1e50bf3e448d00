"""What one Diorama clip is, as plain data, and how clips are drawn at random or held out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np

from engines.diorama.vocabulary import world

HELD_OUT_SHARE = 0.1
TURNING = ("spins", "sways")  # a ball or a ring that turns looks like one that stays still
Combination = tuple[str, str, str]


@dataclass(frozen=True)
class ClipSpec:
    """A clip: what is seen, how it moves, where, and the seed of everything that varies (place, size, light)."""

    noun: str
    motion: str
    scene: str
    seed: int
    frames: int = 17
    height: int = 96
    width: int = 96
    fps: int = 24


def is_held_out(noun: str, motion: str, scene: str) -> bool:
    """True for the 10 % of combinations that no training ever sees: decided by a hash, so it never changes."""
    digest = hashlib.sha256(f"diorama|{noun}|{motion}|{scene}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < HELD_OUT_SHARE


@cache
def combinations(held_out: bool) -> tuple[Combination, ...]:
    """All (noun, motion, scene) of one side of the split, in a fixed order."""
    words = world()
    return tuple(
        (noun.name, motion, scene)
        for noun in words.nouns.values()
        for motion in words.motions
        for scene in words.scenes
        if (noun.turns or motion not in TURNING) and is_held_out(noun.name, motion, scene) == held_out
    )


def random_spec(random: np.random.Generator, held_out: bool = False, frames: int = 17, size: int = 96) -> ClipSpec:
    """A clip from one side of the split."""
    choices = combinations(held_out)
    noun, motion, scene = choices[int(random.integers(len(choices)))]
    return ClipSpec(noun, motion, scene, int(random.integers(2**31)), frames, size, size)


def held_out_specs(count: int, first_seed: int = 0, frames: int = 17) -> list[ClipSpec]:
    """Held-out combinations at equal distances in their fixed order: chosen by number, not by looks."""
    choices = combinations(held_out=True)
    picked = [choices[int(index)] for index in np.linspace(0, len(choices) - 1, count)]
    return [ClipSpec(*words, seed=first_seed + row, frames=frames) for row, words in enumerate(picked)]
