"""Patterns of garments: ten kinds in two of eight colours, hundreds in all, coarse enough for 96 pixels.

Textures are RGB float32 0 … 1, [h, w, 3]; `cell` is the period in texture pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.spec import Colour, Garment, PatternKind

Floats = npt.NDArray[np.float32]
Grid = npt.NDArray[np.floating]

COLOURS: dict[Colour, tuple[float, float, float]] = {
    "red": (0.86, 0.15, 0.14), "yellow": (0.98, 0.84, 0.16), "green": (0.16, 0.62, 0.25), "blue": (0.13, 0.36, 0.85),
    "purple": (0.48, 0.2, 0.66), "pink": (0.98, 0.58, 0.74), "white": (0.97, 0.97, 0.96), "black": (0.1, 0.1, 0.12),
}  # fmt: skip


def _star(x: Grid, y: Grid) -> Grid:
    angle, radius = np.arctan2(x, -y), np.hypot(x, y)
    return np.asarray(radius < 0.27 + 0.15 * np.cos(5 * angle), float)


def _heart(x: Grid, y: Grid) -> Grid:
    x, y = x * 2.9, -y * 2.9 + 0.1
    return np.asarray((x * x + y * y - 1) ** 3 - x * x * y**3 < 0, float)


# x and y count cells from the middle; a centred cell is −0.5 … 0.5. 1 where the second colour is.
PATTERNS: dict[PatternKind, Callable[[Grid, Grid], Grid]] = {
    "plain": lambda x, y: np.zeros_like(x),
    "stripes": lambda x, y: np.asarray((y % 1) < 0.5, float),
    "upright stripes": lambda x, y: np.asarray((x % 1) < 0.5, float),
    "slanted stripes": lambda x, y: np.asarray(((x + y) * 0.75 % 1) < 0.5, float),
    "dots": lambda x, y: np.asarray(np.hypot((x % 1) - 0.5, (y % 1) - 0.5) < 0.3, float),
    "checks": lambda x, y: np.asarray(((x % 1) < 0.5) ^ ((y % 1) < 0.5), float),
    "zigzags": lambda x, y: np.asarray(((y + np.abs((x % 1) - 0.5)) % 1) < 0.5, float),
    "hearts": lambda x, y: _heart((x % 1) - 0.5, (y % 1) - 0.5),
    "stars": lambda x, y: _star((x % 1) - 0.5, (y % 1) - 0.5),
    "halves": lambda x, y: np.asarray(x > 0, float),
}
# Of the garment's width: figures that stand alone are drawn larger than stripes.
CELLS_ACROSS: dict[PatternKind, float] = {"hearts": 1.6, "stars": 1.6, "dots": 2.2, "zigzags": 2.0, "checks": 2.0}
USUAL_CELLS = 2.4


def pattern(garment: Garment, height: int, width: int) -> Floats:
    """The garment's cloth, RGB [height, width, 3], drawn four times as fine and averaged."""
    fine = 4
    cell = width * fine / CELLS_ACROSS.get(garment.pattern, USUAL_CELLS)
    y, x = np.mgrid[0 : height * fine, 0 : width * fine].astype(np.float32)
    # Figures stand in the middle of the cloth; stripes begin at its upper edge.
    share = PATTERNS[garment.pattern]((x - width * fine / 2) / cell + _middle(garment.pattern), y / cell)
    first, second = np.array(COLOURS[garment.colour]), np.array(COLOURS[garment.second])
    cloth = first * (1 - share[..., None]) + second * share[..., None]
    return np.asarray(cv2.resize(cloth, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _middle(kind: PatternKind) -> float:
    return 0.5 if kind in ("dots", "hearts", "stars", "zigzags") else 0.25 if kind == "upright stripes" else 0.0


def words_of(garment: Garment) -> str:
    """ "a dress with blue and yellow stripes"."""
    if garment.pattern == "plain":
        return f"a {garment.colour} {garment.kind}"
    if garment.pattern in ("dots", "hearts", "stars"):
        return f"a {garment.colour} {garment.kind} with {garment.second} {garment.pattern}"
    if garment.pattern == "halves":
        return f"a {garment.kind} that is half {garment.colour} and half {garment.second}"
    return f"a {garment.kind} with {garment.colour} and {garment.second} {garment.pattern}"
