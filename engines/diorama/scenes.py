"""The backgrounds: soft drawings without fine regular texture, which video tokenizers cannot carry.

Every painter returns float32 [H, W, 3], RGB 0…1, and takes its variation from the generator it is given.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Random = np.random.Generator
Colour = tuple[float, float, float]


def _rgb(code: str) -> Array:
    return np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], dtype=np.float32) / 255.0


def _jitter(colour: Array, random: Random, amount: float = 0.05) -> Array:
    brighter = colour * random.uniform(1 - amount, 1 + amount)
    return np.clip(brighter + random.uniform(-1, 1, 3) * amount * 0.5, 0, 1).astype(np.float32)


def _gradient(height: int, width: int, top: Array, bottom: Array) -> Array:
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    return np.repeat(top * (1 - ramp) + bottom * ramp, width, axis=1).astype(np.float32)


def _blend(canvas: Array, mask: npt.NDArray[np.floating], colour: Array) -> Array:
    weight = mask[..., None].astype(np.float32)
    return (canvas * (1 - weight) + colour * weight).astype(np.float32)


def _grid(height: int, width: int) -> tuple[Array, Array]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return y / height, x / width


def _below(height: int, width: int, line: Array, softness: float = 0.012) -> Array:
    """Soft mask of what lies below a line y(x), both as shares of the frame; line is [W]."""
    y, _ = _grid(height, width)
    return np.clip((y - line[None, :]) / softness + 0.5, 0, 1).astype(np.float32)


def _waves(width: int, random: Random, base: float, amplitude: float, frequency: float) -> Array:
    x = np.linspace(0, 1, width)
    phase = random.uniform(0, 2 * np.pi, 2)
    curve = np.sin(2 * np.pi * frequency * x + phase[0]) + 0.5 * np.sin(4 * np.pi * frequency * x + phase[1])
    return (base + amplitude * curve).astype(np.float32)


def _disc(height: int, width: int, x: float, y: float, radius: float, softness: float) -> Array:
    """Soft disc; x, y as shares of the frame, radius and softness as shares of its height."""
    gy, gx = _grid(height, width)
    distance = np.hypot((gx - x) * width / height, gy - y)
    return np.clip((radius - distance) / softness + 0.5, 0, 1).astype(np.float32)


def _beach(h: int, w: int, random: Random) -> Array:
    horizon = random.uniform(0.3, 0.42)
    canvas = _gradient(h, w, _jitter(_rgb("8fd3f5"), random), _jitter(_rgb("dff3fb"), random))
    canvas = _blend(canvas, _below(h, w, np.full(w, horizon, np.float32)), _jitter(_rgb("2f9fc9"), random))
    shore = _waves(w, random, horizon + random.uniform(0.16, 0.24), 0.012, 1.0)
    canvas = _blend(canvas, _below(h, w, shore - 0.03, 0.05), _jitter(_rgb("d8f1f2"), random))
    return _blend(canvas, _below(h, w, shore, 0.03), _jitter(_rgb("efd9a3"), random))


def _field(h: int, w: int, random: Random) -> Array:
    canvas = _gradient(h, w, _jitter(_rgb("86c5f4"), random), _jitter(_rgb("e3f4ff"), random))
    hill = _waves(w, random, random.uniform(0.36, 0.46), 0.03, 0.8)
    canvas = _blend(canvas, _below(h, w, hill), _jitter(_rgb("8fcf5e"), random))
    front = _waves(w, random, random.uniform(0.62, 0.72), 0.03, 0.7)
    return _blend(canvas, _below(h, w, front, 0.05), _jitter(_rgb("63b043"), random))


def _desert(h: int, w: int, random: Random) -> Array:
    canvas = _gradient(h, w, _jitter(_rgb("f7c98b"), random), _jitter(_rgb("fdebc8"), random))
    for base, colour in ((0.42, "e2a55c"), (0.58, "d08f45"), (0.76, "bd7a35")):
        dune = _waves(w, random, base + random.uniform(-0.04, 0.04), 0.045, 0.7)
        canvas = _blend(canvas, _below(h, w, dune, 0.02), _jitter(_rgb(colour), random))
    return canvas


def _snow(h: int, w: int, random: Random) -> Array:
    canvas = _gradient(h, w, _jitter(_rgb("b7cfe4"), random), _jitter(_rgb("e4edf5"), random))
    hill = _waves(w, random, random.uniform(0.42, 0.5), 0.03, 0.8)
    canvas = _blend(canvas, _below(h, w, hill), _jitter(_rgb("f3f7fb"), random, 0.02))
    front = _waves(w, random, random.uniform(0.66, 0.76), 0.03, 0.7)
    return _blend(canvas, _below(h, w, front, 0.06), _jitter(_rgb("dfe9f3"), random, 0.02))


def _sunset(h: int, w: int, random: Random) -> Array:
    canvas = _gradient(h, w, _jitter(_rgb("5b3a78"), random), _jitter(_rgb("ff9a4d"), random))
    x, horizon = random.uniform(0.2, 0.8), random.uniform(0.66, 0.76)
    canvas = _blend(canvas, _disc(h, w, x, horizon - 0.06, 0.3, 0.5) * 0.6, _rgb("ffb36b"))
    canvas = _blend(canvas, _disc(h, w, x, horizon - 0.04, 0.12, 0.03), _rgb("fff0a8"))
    return _blend(canvas, _below(h, w, np.full(w, horizon, np.float32)), _jitter(_rgb("4a2a4f"), random))


def _under_water(h: int, w: int, random: Random) -> Array:
    canvas = _gradient(h, w, _jitter(_rgb("3fc1d6"), random), _jitter(_rgb("07406b"), random))
    gy, gx = _grid(h, w)
    for _ in range(3):
        centre = random.uniform(0, 1) + 0.25 * gy
        beam = np.clip(1 - np.abs(gx - centre) / 0.1, 0, 1) * np.clip(0.8 - gy, 0, 1) * 0.4
        canvas = _blend(canvas, beam, _rgb("c8f5f5"))
    sand = _waves(w, random, random.uniform(0.86, 0.92), 0.015, 1.0)
    return _blend(canvas, _below(h, w, sand, 0.03), _jitter(_rgb("3d6f7d"), random))


def _night(h: int, w: int, random: Random) -> Array:
    canvas = _gradient(h, w, _jitter(_rgb("0b1033"), random), _jitter(_rgb("2b3a78"), random))
    x, y = random.uniform(0.12, 0.88), random.uniform(0.12, 0.24)
    canvas = _blend(canvas, _disc(h, w, x, y, 0.2, 0.3) * 0.25, _rgb("aab4e8"))
    canvas = _blend(canvas, _disc(h, w, x, y, 0.08, 0.02), _rgb("f6f2d4"))
    hill = _waves(w, random, random.uniform(0.8, 0.88), 0.025, 0.8)
    return _blend(canvas, _below(h, w, hill), _jitter(_rgb("0a0d24"), random))


def _mountains(h: int, w: int, random: Random) -> Array:
    canvas = _gradient(h, w, _jitter(_rgb("9fc9ee"), random), _jitter(_rgb("e8f1f7"), random))
    x = np.linspace(0, 1, w, dtype=np.float32)
    for base, colour, slope in ((0.3, "8b97b5", 0.9), (0.5, "5f6d8f", 0.8)):
        peaks = random.uniform(0, 1, 3) * 0.5 + np.array([0.0, 0.35, 0.7]) - 0.1
        tops = base + random.uniform(-0.08, 0.08, 3)
        line = np.min([top + slope * np.abs(x - peak) for peak, top in zip(peaks, tops, strict=True)], axis=0)
        canvas = _blend(canvas, _below(h, w, line.astype(np.float32)), _jitter(_rgb(colour), random))
    meadow = _waves(w, random, random.uniform(0.8, 0.87), 0.015, 0.8)
    return _blend(canvas, _below(h, w, meadow), _jitter(_rgb("5d8f5b"), random))


def _room(h: int, w: int, random: Random) -> Array:
    canvas = _gradient(h, w, _jitter(_rgb("f0e4d0"), random), _jitter(_rgb("e3d2b8"), random))
    floor = np.full(w, random.uniform(0.68, 0.76), np.float32)
    canvas = _blend(canvas, _below(h, w, floor - 0.035), _jitter(_rgb("fbf6ec"), random, 0.02))
    canvas = _blend(canvas, _below(h, w, floor), _jitter(_rgb("9a6238"), random))
    left, top = random.choice([0.08, 0.6]), random.uniform(0.1, 0.16)
    gy, gx = _grid(h, w)
    window = ((gx > left) & (gx < left + 0.32) & (gy > top) & (gy < top + 0.34)).astype(np.float32)
    return _blend(canvas, cv2.GaussianBlur(window, (3, 3), 0), _jitter(_rgb("9fd0ee"), random))


def _road(h: int, w: int, random: Random) -> Array:
    canvas = _gradient(h, w, _jitter(_rgb("a9c4d8"), random), _jitter(_rgb("dce6ec"), random))
    verge = random.uniform(0.4, 0.48)
    canvas = _blend(canvas, _below(h, w, np.full(w, verge, np.float32)), _jitter(_rgb("7fa35a"), random))
    edge = verge + random.uniform(0.1, 0.15)
    canvas = _blend(canvas, _below(h, w, np.full(w, edge, np.float32)), _jitter(_rgb("565a61"), random))
    stripe = edge + (1 - edge) * 0.5
    line = _below(h, w, np.full(w, stripe, np.float32)) - _below(h, w, np.full(w, stripe + 0.045, np.float32))
    return _blend(canvas, line, _jitter(_rgb("f2ead2"), random, 0.02))


def _clouds(h: int, w: int, random: Random) -> Array:
    canvas = _gradient(h, w, _jitter(_rgb("4a9be8"), random), _jitter(_rgb("b5dcfa"), random))
    for _ in range(4):
        x, y = random.uniform(0, 1), random.uniform(0.08, 0.95)
        for _ in range(4):
            puff = _disc(h, w, x + random.uniform(-0.14, 0.14), y + random.uniform(-0.04, 0.04), 0.09, 0.1)
            canvas = _blend(canvas, puff * 0.85, _rgb("ffffff"))
    return canvas


def _wall(code: str) -> Callable[[int, int, Random], Array]:
    def paint(h: int, w: int, random: Random) -> Array:
        colour = _jitter(_rgb(code), random)
        canvas = _gradient(h, w, np.minimum(colour * 1.12, 1), colour * 0.82)
        light = _disc(h, w, random.uniform(0.2, 0.8), random.uniform(0.1, 0.5), 0.4, 0.8)
        return _blend(canvas, light * 0.22, np.ones(3, np.float32))

    return paint


SCENES: dict[str, Callable[[int, int, Random], Array]] = {
    "beach": _beach,
    "field": _field,
    "desert": _desert,
    "snow": _snow,
    "sunset": _sunset,
    "under water": _under_water,
    "night": _night,
    "mountains": _mountains,
    "room": _room,
    "road": _road,
    "clouds": _clouds,
    "red wall": _wall("c8403a"),
    "yellow wall": _wall("eccb46"),
    "purple wall": _wall("7c58b8"),
    "pink wall": _wall("f0a3bd"),
    "grey wall": _wall("8d9096"),
}


def paint_scene(name: str, height: int, width: int, random: Random) -> Array:
    """A background, float32 [H, W, 3] in 0…1. Raises KeyError for a scene that the world does not have."""
    return SCENES[name](height, width, random)
