"""What a frame is put together from, far to near: background, bands, and the parts of the actors.

Shape legend: T frames, H rows, W columns; textures are premultiplied RGBA float32 [h, w, 4]; affine maps [2, 3].
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engines.diorama.scenes import paint_scene
from engines.diorama.theatre import figures, portraits, things
from engines.diorama.theatre.camera import BACKGROUND_DEPTH, CameraTrack, compose
from engines.diorama.theatre.garments import COLOURS
from engines.diorama.theatre.parts import Performance, Texture
from engines.diorama.theatre.spec import Actor, Band, Figure, SceneSpec, Thing

Floats = npt.NDArray[np.float64]
Picture = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Item:
    """One texture at one depth in every frame.

    Attributes:
        name: "background", "band 1", or the part's name.
        actor: Index in the spec; −1 for what is no actor.
        textures: One for all frames, or one each.
        maps: From texture pixels to the frame, [T, 2, 3]; the camera is in them.
        endless: Whether the texture goes on beyond its edges, mirrored.
    """

    name: str
    actor: int
    depth: float
    textures: tuple[Texture, ...]
    maps: Floats
    endless: bool = False

    def texture(self, frame: int) -> Texture:
        return self.textures[0] if len(self.textures) == 1 else self.textures[frame]

    def canonical_map(self, frame: int) -> Floats:
        """From coordinates that are −0.5 … 0.5 on the texture, whichever of its sizes is used, to the frame."""
        height, width = self.texture(frame).shape[:2]
        # All levels of a sprite are square with one transparent pixel around.
        spread = np.array([[width - 2.0, 0, (width - 1) / 2], [0, height - 2.0, (height - 1) / 2]])
        return compose(self.maps[frame], spread)


def perform(actor: Actor, spec: SceneSpec) -> Performance:
    """What one actor does in this scene."""
    if isinstance(actor, Thing):
        return things.perform(actor, spec.frames, spec.height, spec.width)
    if isinstance(actor, Figure):
        return figures.perform(actor, spec.frames, spec.height, spec.width)
    return portraits.perform(actor, spec.frames, spec.height, spec.width, spec.fps)


def items_of(spec: SceneSpec, performances: list[Performance], camera: CameraTrack) -> list[Item]:
    """Everything that is drawn, from the farthest to the nearest; an actor's parts stay together."""
    groups: list[tuple[float, list[Item]]] = []
    for number, band in enumerate(spec.bands):
        view = _views(camera, band.depth, spec.frames)
        texture = _band(band, spec.height, spec.width)
        groups.append((band.depth, [Item(f"band {number + 1}", -1, band.depth, (texture,), view, endless=True)]))
    for index, (actor, performance) in enumerate(zip(spec.actors, performances, strict=True)):
        views = _views(camera, actor.depth, spec.frames)
        parts = [
            Item(part.name, index, actor.depth, part.textures,
                 np.stack([compose(view, placed) for view, placed in zip(views, part.maps, strict=True)]))
            for part in performance.parts
        ]  # fmt: skip
        groups.append((actor.depth, parts))
    groups.sort(key=lambda group: -group[0])
    return [_background(spec, camera), *(item for _, group in groups for item in group)]


def _views(camera: CameraTrack, depth: float, frames: int) -> Floats:
    return np.stack([camera.layer_map(depth, frame) for frame in range(frames)])


def _background(spec: SceneSpec, camera: CameraTrack) -> Item:
    picture = paint_scene(spec.scene, spec.height, spec.width, np.random.default_rng(spec.seed))
    texture = np.concatenate([picture, np.ones_like(picture[..., :1])], axis=-1)
    return Item(
        "background", -1, BACKGROUND_DEPTH, (texture,), _views(camera, BACKGROUND_DEPTH, spec.frames), endless=True
    )


def _band(band: Band, height: int, width: int) -> Texture:
    """Soft ground below a line that waves."""
    random = np.random.default_rng([band.seed, 5])
    x = np.linspace(0, 2 * np.pi, width)
    line = band.top + 0.025 * np.sin(x * random.uniform(0.8, 1.6) + random.uniform(0, 6))
    y = np.arange(height)[:, None] / height
    alpha = np.clip((y - line[None]) / 0.02 + 0.5, 0, 1)
    shade = 0.75 + 0.2 * np.clip((y - band.top) / max(1 - band.top, 0.05), 0, 1)
    colour = np.array(COLOURS[band.colour]) * 0.8 + 0.1
    rgb = colour * (1.45 - shade)[..., None]
    return np.concatenate([rgb.clip(0, 1) * alpha[..., None], alpha[..., None]], axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Drawn:
    """A texture in the frame: premultiplied RGBA [h, w, 4] of the rectangle `rows`, `columns`."""

    rgba: Picture
    rows: slice
    columns: slice


def draw_item(item: Item, frame: int, height: int, width: int) -> Drawn | None:
    """The item in one frame, only the rectangle that it touches; None if it is outside."""
    texture, matrix = item.texture(frame), item.maps[frame]
    if item.endless:
        if np.array_equal(matrix, _IDENTITY) and texture.shape[:2] == (height, width):
            return Drawn(texture, slice(0, height), slice(0, width))
        rgba = cv2.warpAffine(
            texture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        return Drawn(np.asarray(rgba, np.float32), slice(0, height), slice(0, width))
    tall, wide = texture.shape[:2]
    corners = np.array([[-1, -1], [wide, -1], [wide, tall], [-1, tall]], float) @ matrix[:, :2].T + matrix[:, 2]
    left, top = np.floor(corners.min(0)).astype(int).clip(0)
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, (width, height))
    if right <= left or bottom <= top:
        return None
    shifted = matrix.copy()
    shifted[:, 2] -= (left, top)
    rgba = cv2.warpAffine(texture, shifted, (int(right - left), int(bottom - top)), flags=cv2.INTER_LINEAR)
    return Drawn(np.asarray(rgba, np.float32), slice(int(top), int(bottom)), slice(int(left), int(right)))


_IDENTITY = np.array([[1.0, 0, 0], [0, 1.0, 0]])
