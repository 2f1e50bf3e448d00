"""Draws a scene: items over each other, far to near, with light, style and degradation; knows who covers what.

Shape legend: T frames, H rows, W columns, A actors, I items.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engines.diorama.render import SHADOW_OFFSET
from engines.diorama.theatre.camera import CameraTrack, camera_track
from engines.diorama.theatre.layers import Drawn, Item, draw_item, items_of, perform
from engines.diorama.theatre.looks import degrade, dress
from engines.diorama.theatre.parts import Performance
from engines.diorama.theatre.sound import SceneSound, sound_of
from engines.diorama.theatre.spec import SceneSpec
from engines.diorama.theatre.truth import SceneTruth, truth_of

Frames = npt.NDArray[np.uint8]
Coverage = npt.NDArray[np.float32]


@dataclass(frozen=True)
class RenderedScene:
    """A scene and what is known of it.

    Attributes:
        frames: uint8 [T, H, W, 3], RGB.
        coverage: What is seen of each actor, float32 [A, T, H, W], 0 … 1.
        truth: Everything else, where it was asked for.
        sound: None where the scene is silent.
    """

    spec: SceneSpec
    frames: Frames
    coverage: Coverage
    truth: SceneTruth | None
    sound: SceneSound | None


def render_scene(spec: SceneSpec, truth: bool = False) -> RenderedScene:
    """Draws the scene; the same spec gives the same bytes.

    Args:
        truth: Whether masks of parts, depth, flow, tracks and the empty scene are made too; that takes several times
            as long.
    """
    camera = camera_track(spec)
    performances = [perform(actor, spec) for actor in spec.actors]
    items = items_of(spec, performances, camera)
    groups = list(range(len(items))) if truth else [item.actor for item in items]
    seen = np.zeros((len(items) if truth else len(spec.actors), spec.frames, spec.height, spec.width), np.float32)
    pictures = np.empty((spec.frames, spec.height, spec.width, 3), np.float32)
    for frame in range(spec.frames):
        pictures[frame] = _draw_frame(spec, items, performances, camera, frame, groups, seen)
    finished = dress(pictures, spec)
    known = truth_of(spec, items, performances, camera, seen, _empty(spec, items)) if truth else None
    coverage = _by_actor(seen, items, len(spec.actors)) if truth else seen
    frames = degrade(finished, spec.degradation, spec.seed)
    return RenderedScene(spec, frames, coverage, known, sound_of(spec, performances) if spec.sound else None)


def _draw_frame(
    spec: SceneSpec, items: list[Item], performances: list[Performance], camera: CameraTrack, frame: int,
    groups: list[int], seen: Coverage,
) -> npt.NDArray[np.float32]:  # fmt: skip
    """One picture, float32 [H, W, 3]; fills `seen`, whose rows are named by `groups`, −1 for none."""
    canvas = np.zeros((spec.height, spec.width, 3), np.float32)
    shaded: set[int] = set()
    for item, group in zip(items, groups, strict=True):
        drawn = draw_item(item, frame, spec.height, spec.width)
        if drawn is None:
            continue
        if item.actor >= 0 and item.actor not in shaded:
            shaded.add(item.actor)
            _shade(canvas, drawn, performances[item.actor], camera, item.depth, frame)
        alpha = drawn.rgba[..., 3:]
        place = canvas[drawn.rows, drawn.columns]
        place *= 1 - alpha
        place += drawn.rgba[..., :3]
        hidden = seen[:, frame, drawn.rows, drawn.columns]
        hidden *= 1 - alpha[..., 0]
        if group >= 0:
            hidden[group] += alpha[..., 0]
    return canvas


def _shade(
    canvas: npt.NDArray[np.float32],
    drawn: Drawn,
    performance: Performance,
    camera: CameraTrack,
    depth: float,
    frame: int,
) -> None:
    """A soft shadow below and to the right, on whatever lies behind."""
    if performance.shadow == 0:
        return
    height, width = canvas.shape[:2]
    size = performance.size[frame] * np.sqrt(abs(np.linalg.det(camera.layer_map(depth, frame)[:, :2])))
    alpha = np.zeros((height, width), np.float32)
    alpha[drawn.rows, drawn.columns] = drawn.rgba[..., 3]
    shift = np.array([[1, 0, SHADOW_OFFSET[0] * size], [0, 1, SHADOW_OFFSET[1] * size]])
    moved = cv2.warpAffine(alpha, shift, (width, height))
    canvas *= 1 - (cv2.GaussianBlur(moved, (0, 0), max(size * 0.04, 0.5)) * performance.shadow)[..., None]


def _empty(spec: SceneSpec, items: list[Item]) -> Frames:
    """The scene without its actors, uint8 [T, H, W, 3]."""
    behind = [item for item in items if item.actor < 0]
    pictures = np.empty((spec.frames, spec.height, spec.width, 3), np.float32)
    nobody = np.zeros((0, spec.frames, spec.height, spec.width), np.float32)
    camera = camera_track(spec)
    for frame in range(spec.frames):
        pictures[frame] = _draw_frame(spec, behind, [], camera, frame, [-1] * len(behind), nobody)
    return dress(pictures, spec)


def _by_actor(seen: Coverage, items: list[Item], actors: int) -> Coverage:
    summed = np.zeros((actors, *seen.shape[1:]), np.float32)
    for item, cover in zip(items, seen, strict=True):
        if item.actor >= 0:
            summed[item.actor] += cover
    return summed


def twin(spec: SceneSpec, actor: int, hue: float) -> SceneSpec:
    """The same scene with one actor's colours turned by so many degrees: all else stays, to the pixel."""
    actors = list(spec.actors)
    actors[actor] = actors[actor].model_copy(update={"hue": hue})
    return spec.model_copy(update={"actors": tuple(actors)})
