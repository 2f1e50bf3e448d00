"""Where the object is in each frame: position, scale and rotation tracks for each motion word.

Units: positions in pixels of the frame (x right, y down, centre of the object), size = side of the sprite's square in
pixels, rotation in degrees, clockwise as seen. T frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True)
class Track:
    """The object's path. Each array is float64 [T]."""

    x: Array
    y: Array
    size: Array
    rotation: Array


@dataclass(frozen=True)
class Stage:
    """What a motion has to fit into: height and width in pixels, number of frames, frames of one natural cycle."""

    height: int
    width: int
    frames: int
    cycle: float = 16.0

    @property
    def unit(self) -> float:
        """Length that everything scales with: the shorter side."""
        return float(min(self.height, self.width))

    @property
    def progress(self) -> Array:
        """0 … 1 over the frames [T]; a single frame is anywhere on the path (the caller picks)."""
        return np.arange(self.frames) / max(self.frames - 1, 1)


def _rest(stage: Stage, random: Random, low: float = 0.42, high: float = 0.6) -> tuple[float, float, float]:
    """A place and a size at which the whole object is inside the frame."""
    size = float(random.uniform(low, high)) * stage.unit
    margin = size * 0.46
    x = float(random.uniform(margin, stage.width - margin))
    y = float(random.uniform(margin, stage.height - margin))
    return x, y, size


def _constant(stage: Stage, value: float) -> Array:
    return np.full(stage.frames, value)


def _crossing(length: int, size: float, stage: Stage, random: Random, direction: int) -> Array:
    """A way along one side of the frame, `length` pixels long, that keeps the object inside."""
    reach = length - size * 0.92
    travel = min(random.uniform(0.34, 0.5) * length, reach)
    start = size * 0.46 + random.uniform(0, reach - travel)
    path = start + travel * stage.progress
    return path if direction > 0 else length - path


def _slide(stage: Stage, random: Random, direction: int) -> Track:
    _, y, size = _rest(stage, random, 0.4, 0.54)
    x = _crossing(stage.width, size, stage, random, direction)
    return Track(x, _constant(stage, y), _constant(stage, size), _constant(stage, 0.0))


def _climb(stage: Stage, random: Random, direction: int) -> Track:
    x, _, size = _rest(stage, random, 0.4, 0.54)
    y = _crossing(stage.height, size, stage, random, direction)
    return Track(_constant(stage, x), y, _constant(stage, size), _constant(stage, 0.0))


def _bounce(stage: Stage, random: Random) -> Track:
    x, _, size = _rest(stage, random, 0.4, 0.52)
    height = random.uniform(0.2, 0.3) * stage.unit
    ground = stage.height - size * 0.46 - random.uniform(0, 0.12) * stage.height
    phase = random.uniform(0, 1) + np.arange(stage.frames) / (stage.cycle * random.uniform(0.55, 0.8))
    y = ground - height * 4 * (phase % 1) * (1 - phase % 1)
    return Track(_constant(stage, x), y, _constant(stage, size), _constant(stage, 0.0))


def _spin(stage: Stage, random: Random) -> Track:
    x, y, size = _rest(stage, random)
    turn = random.choice([-1, 1]) * random.uniform(10, 17) * 16.0 / stage.cycle
    rotation = random.uniform(-30, 30) + turn * np.arange(stage.frames)
    return Track(_constant(stage, x), _constant(stage, y), _constant(stage, size), rotation)


def _zoom(stage: Stage, random: Random, direction: int) -> Track:
    x, y, large = _rest(stage, random, 0.54, 0.66)
    small = large * random.uniform(0.5, 0.6)
    path = small + (large - small) * (stage.progress if direction > 0 else 1 - stage.progress)
    return Track(_constant(stage, x), _constant(stage, y), path, _constant(stage, 0.0))


def _sway(stage: Stage, random: Random) -> Track:
    x, y, size = _rest(stage, random)
    angle = random.uniform(16, 26)
    period = stage.cycle * random.uniform(0.7, 0.95)
    rotation = angle * np.sin(2 * np.pi * (random.uniform(0, 1) + np.arange(stage.frames) / period))
    return Track(_constant(stage, x), _constant(stage, y), _constant(stage, size), rotation)


def _circle(stage: Stage, random: Random) -> Track:
    size = random.uniform(0.38, 0.48) * stage.unit
    radius = random.uniform(0.13, 0.19) * stage.unit
    margin = size * 0.46 + radius
    x = random.uniform(margin, stage.width - margin)
    y = random.uniform(margin, stage.height - margin)
    angle = random.uniform(0, 2 * np.pi) + random.choice([-1, 1]) * 2 * np.pi * np.arange(stage.frames) / (
        stage.cycle * random.uniform(1.0, 1.3)
    )
    return Track(x + radius * np.cos(angle), y + radius * np.sin(angle), _constant(stage, size), _constant(stage, 0.0))


def _still(stage: Stage, random: Random) -> Track:
    x, y, size = _rest(stage, random)
    return Track(_constant(stage, x), _constant(stage, y), _constant(stage, size), _constant(stage, 0.0))


MOTIONS: dict[str, Callable[[Stage, Random], Track]] = {
    "slides left": lambda stage, random: _slide(stage, random, -1),
    "slides right": lambda stage, random: _slide(stage, random, 1),
    "rises": lambda stage, random: _climb(stage, random, -1),
    "falls": lambda stage, random: _climb(stage, random, 1),
    "bounces": _bounce,
    "spins": _spin,
    "grows": lambda stage, random: _zoom(stage, random, 1),
    "shrinks": lambda stage, random: _zoom(stage, random, -1),
    "sways": _sway,
    "circles": _circle,
    "stays still": _still,
}


def make_track(motion: str, stage: Stage, random: Random) -> Track:
    """The path of one object. Raises KeyError for a motion that the world does not have."""
    return MOTIONS[motion](stage, random)
