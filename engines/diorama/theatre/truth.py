"""What is exactly true of a scene, from its geometry alone: nothing here is estimated from pictures.

Shape legend: T frames, H rows, W columns, I items (background, bands, parts), A actors, K points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.camera import CameraTrack, apply, compose, inverse
from engines.diorama.theatre.layers import Item
from engines.diorama.theatre.parts import Performance
from engines.diorama.theatre.spec import SceneSpec

Floats = npt.NDArray[np.float32]
POINTS_PER_ITEM = 12
BACKGROUND_POINTS = 8


@dataclass(frozen=True)
class Tracks:
    """Points that stay on what they were put on.

    Attributes:
        items: Index of the item of each point, [K].
        places: float32 [T, K, 2], pixels (x, y).
        visible: bool [T, K]: inside the frame and not hidden.
    """

    items: npt.NDArray[np.int64]
    places: Floats
    visible: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SceneTruth:
    """Everything that is known.

    Attributes:
        names: Of the items, far to near; `actors`: their actors' indices, −1 for background and bands.
        masks: What is seen of each item, float32 [I, T, H, W]; they add up to 1 at every pixel.
        owner: Item that most of a pixel shows, int16 [T, H, W].
        depth: Of that item, float32 [T, H, W], moving with the camera.
        flow: Pixels from frame t to t + 1, float32 [T − 1, H, W, 2] (x, y); `flow_back`: from t + 1 to t, at t + 1.
        tracks: See Tracks.
        joints: For each actor, name → float32 [T, 2] in pixels of the frame.
        intrinsics, poses: Of the camera, [T, 3, 3] and [T, 4, 4] (world to camera).
        mouths: For each actor the opening 0 … 1, [T], or None.
        empty: The scene without actors and their shadows, uint8 [T, H, W, 3].
    """

    names: tuple[str, ...]
    actors: tuple[int, ...]
    masks: Floats
    owner: npt.NDArray[np.int16]
    depth: Floats
    flow: Floats
    flow_back: Floats
    tracks: Tracks
    joints: tuple[dict[str, Floats], ...]
    intrinsics: npt.NDArray[np.float64]
    poses: npt.NDArray[np.float64]
    mouths: tuple[npt.NDArray[np.float64] | None, ...]
    empty: npt.NDArray[np.uint8]


def truth_of(
    spec: SceneSpec, items: list[Item], performances: list[Performance], camera: CameraTrack, masks: Floats,
    empty: npt.NDArray[np.uint8],
) -> SceneTruth:  # fmt: skip
    """masks: what is seen of each item, [I, T, H, W]."""
    owner = masks.argmax(0).astype(np.int16)
    maps = np.stack([[item.canonical_map(frame) for frame in range(spec.frames)] for item in items])
    depths = np.array([item.depth for item in items])[:, None] - camera.position[None, :, 2]
    depth = np.stack([depths[owner[frame], frame] for frame in range(spec.frames)]).astype(np.float32)
    forward = [_flow(owner[t], maps[:, t], maps[:, t + 1]) for t in range(spec.frames - 1)]
    backward = [_flow(owner[t + 1], maps[:, t + 1], maps[:, t]) for t in range(spec.frames - 1)]
    nothing = np.zeros((0, spec.height, spec.width, 2), np.float32)
    return SceneTruth(
        tuple(item.name for item in items), tuple(item.actor for item in items), masks, owner, depth,
        np.stack(forward) if forward else nothing, np.stack(backward) if backward else nothing,
        _tracks(spec, items, maps, owner), tuple(_joints(spec, camera, *pair) for pair in enumerate(performances)),
        camera.intrinsics, camera.poses, tuple(performance.mouth for performance in performances), empty,
    )  # fmt: skip


def _flow(owner: npt.NDArray[np.int16], before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]) -> Floats:
    """Where each pixel's item takes it, [H, W, 2]."""
    height, width = owner.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    points, flow = np.stack([x, y], axis=-1), np.zeros((height, width, 2), np.float32)
    for index in np.unique(owner):
        way = compose(after[index], inverse(before[index]))
        here = owner == index
        flow[here] = apply(way, points[here]) - points[here]
    return flow


def _tracks(spec: SceneSpec, items: list[Item], maps: npt.NDArray[np.float64], owner: npt.NDArray[np.int16]) -> Tracks:
    """Points on the solid parts of every item."""
    of, places = [], []
    for index, item in enumerate(items):
        spread = _solid_points(item)
        for point in spread:
            of.append(index)
            places.append(np.stack([apply(maps[index, frame], point) for frame in range(spec.frames)]))
    at = np.stack(places, axis=1)
    pixel = np.round(at).astype(int)
    inside = ((pixel >= 0) & (pixel < (spec.width, spec.height))).all(-1)
    clipped = pixel.clip(0, (spec.width - 1, spec.height - 1))
    frames = np.arange(spec.frames)[:, None]
    shows = owner[frames, clipped[..., 1], clipped[..., 0]] == np.array(of)[None]
    return Tracks(np.array(of), at.astype(np.float32), inside & shows)


def _solid_points(item: Item) -> npt.NDArray[np.float64]:
    """Canonical coordinates [K, 2] of points where the texture is opaque, spread evenly."""
    alpha = item.texture(0)[..., 3]
    rows, columns = np.nonzero(alpha > 0.95)
    count = BACKGROUND_POINTS**2 if item.endless else POINTS_PER_ITEM
    chosen = np.unique(np.linspace(0, len(rows) - 1, count).astype(int)) if len(rows) else np.zeros(0, int)
    height, width = alpha.shape
    return np.stack(
        [(columns[chosen] - (width - 1) / 2) / (width - 2), (rows[chosen] - (height - 1) / 2) / (height - 2)], axis=1
    )


def _joints(spec: SceneSpec, camera: CameraTrack, index: int, performance: Performance) -> dict[str, Floats]:
    depth = spec.actors[index].depth
    return {
        name: np.stack([
            apply(camera.layer_map(depth, frame), places[frame]) for frame in range(spec.frames)
        ]).astype(np.float32)
        for name, places in performance.points.items()
    }  # fmt: skip
