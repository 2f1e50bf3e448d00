"""A part: a texture and where it is in each frame. Things, limbs, faces and mouths are all made of parts.

Shape legend: S texture side; T frames; textures are premultiplied RGBA float32 0 … 1, [h, w, 4].
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Texture = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One rigid piece of an actor.

    Attributes:
        name: "body", "torso", "left hand", "mouth", …
        textures: One per frame, or one for all of them.
        maps: From texture pixels to layer coordinates, float64 [T, 2, 3].
    """

    name: str
    textures: tuple[Texture, ...]
    maps: Floats

    def texture(self, frame: int) -> Texture:
        return self.textures[0] if len(self.textures) == 1 else self.textures[frame]


@dataclass(frozen=True)
class Performance:
    """Everything that one actor does.

    Attributes:
        parts: From the back to the front.
        points: Name → its place in layer coordinates, float64 [T, 2]: joints of a figure, the centre of a thing.
        centre, size: [T, 2] and [T], layer coordinates: for shadows and for tracks.
        shadow: Strength of the soft shadow, 0 for none.
        mouth: Opening 0 … 1, [T]; None for what has no mouth.
        hits: Frames (fractions count) at which something is heard, with what: "thump", "clap".
        voice: Loudness of a voice 0 … 1, [T]; None if there is none.
    """

    parts: tuple[Part, ...]
    points: dict[str, Floats]
    centre: Floats
    size: Floats
    shadow: float = 0.32
    mouth: Floats | None = None
    hits: tuple[tuple[float, str], ...] = ()
    voice: Floats | None = field(default=None)


def placed(scale: Floats | float, angle: Floats, at: Floats, pivot: tuple[float, float]) -> Floats:
    """Maps that put the texture's pixel `pivot` at `at`, turned and scaled.

    Args:
        scale: Layer pixels per texture pixel, [T] or one; or [T, 2] for x and y.
        angle: Radians, clockwise as seen, [T].
        at: [T, 2].

    Returns: [T, 2, 3].
    """
    count = len(at)
    scales = np.broadcast_to(np.asarray(scale, float).reshape(-1, 1) if np.ndim(scale) < 2 else scale, (count, 2))
    cos, sin = np.cos(angle), np.sin(angle)
    maps = np.empty((count, 2, 3))
    maps[:, 0, 0], maps[:, 0, 1] = cos * scales[:, 0], -sin * scales[:, 1]
    maps[:, 1, 0], maps[:, 1, 1] = sin * scales[:, 0], cos * scales[:, 1]
    maps[:, :, 2] = at - maps[:, :, :2] @ np.array(pivot)
    return maps
