"""A thing: a sprite that moves as its motion word says, inside its region.

Shape legend: T frames; S side of a sprite's level; layer coordinates in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from engines.diorama.clip_spec import TURNING
from engines.diorama.motions import Stage, Track, make_track
from engines.diorama.sprites import Sprite, load_sprite
from engines.diorama.theatre.parts import Part, Performance, Texture, placed
from engines.diorama.theatre.spec import Placed, Thing

CYCLE_FRAMES = 17
# Of the side: what turns keeps its corners inside the frame.
TURNING_MARGIN = 0.08
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Room(Stage):
    """A stage whose things are so many times as large as its own size would make them."""

    largeness: float = 1.0

    @property
    def unit(self) -> float:
        return super().unit * self.largeness


@dataclass(frozen=True)
class Place:
    """An actor's region in pixels."""

    left: float
    top: float
    width: float
    height: float


def place_of(actor: Placed, height: int, width: int) -> Place:
    region = actor.region
    return Place(region.left * width, region.top * height, region.width * width, region.height * height)


def perform(thing: Thing, frames: int, height: int, width: int) -> Performance:
    """What the thing does."""
    random = np.random.default_rng([thing.seed, 1])
    place = place_of(thing, height, width)
    margin = TURNING_MARGIN * min(place.width, place.height) if thing.motion in TURNING else 0.0
    size = (int(place.height - 2 * margin), int(place.width - 2 * margin))
    # A picture is one instant out of the motion, so that pictures show everything clips show.
    track = make_track(thing.motion, Room(*size, max(frames, CYCLE_FRAMES if frames == 1 else 1),
                                          largeness=thing.largeness), random)  # fmt: skip
    first = int(random.integers(CYCLE_FRAMES)) if frames == 1 else 0
    track = Track(*(values[first : first + frames] for values in (track.x, track.y, track.size, track.rotation)))
    at = np.stack([track.x + place.left + margin, track.y + place.top + margin], axis=1)
    sprite = turned_sprite(thing.noun, thing.hue)
    textures = tuple(sprite.level_for(size) for size in track.size)
    # One transparent pixel lies around every level: what is seen has two less on a side, at each of them.
    scale = track.size / np.array([texture.shape[0] - 2 for texture in textures])
    maps = np.stack([
        placed(scale[t : t + 1], np.deg2rad(track.rotation[t : t + 1]), at[t : t + 1],
               ((textures[t].shape[0] - 1) / 2,) * 2)[0]
        for t in range(frames)
    ])  # fmt: skip
    hits = tuple((t, "thump") for t in _landings(at[:, 1])) if thing.motion == "bounces" else ()
    return Performance((Part("body", textures, maps),), {"centre": at}, at, np.asarray(track.size), hits=hits)


def _landings(height: Floats) -> list[float]:
    """Frames at which the way down turns into the way up: the lowest points inside the clip."""
    return [float(t) for t in range(1, len(height) - 1) if height[t] >= height[t - 1] and height[t] > height[t + 1]]


@cache
def turned_sprite(noun: str, hue: float) -> Sprite:
    """The sprite with its colours turned by so many degrees of hue."""
    sprite = load_sprite(noun)
    if hue == 0:
        return sprite
    return Sprite(sprite.name, tuple(turn_hue(level, hue) for level in sprite.levels))


def turn_hue(texture: Texture, degrees: float) -> Texture:
    """Premultiplied RGBA [h, w, 4] with its hue turned; what is grey, black or white stays."""
    alpha = texture[..., 3:]
    plain = np.divide(texture[..., :3], alpha, out=np.zeros_like(texture[..., :3]), where=alpha > 1e-3)
    hls = cv2.cvtColor(np.ascontiguousarray(plain.clip(0, 1)), cv2.COLOR_RGB2HLS)
    hls[..., 0] = (hls[..., 0] + degrees) % 360
    turned = np.asarray(cv2.cvtColor(hls, cv2.COLOR_HLS2RGB), np.float32)
    return np.concatenate([turned * alpha, alpha], axis=-1).astype(np.float32)
