"""Draws a clip and says exactly what is in it.

Shape legend: T frames, H height, W width. Everything is a function of the spec alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engines.diorama.clip_spec import ClipSpec
from engines.diorama.motions import Stage, Track, make_track
from engines.diorama.scenes import paint_scene
from engines.diorama.sprites import Sprite, load_sprite

SHADOW_OFFSET = (0.045, 0.06)  # right and down, as shares of the object's size
SHADOW_STRENGTH = 0.32
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Truth:
    """What is exactly known about a clip.

    Attributes:
        mask: float32 [T, H, W], the object's coverage 0…1.
        track: position (pixels, centre), size (pixels) and rotation (degrees) of the object, each [T].
        flow: float32 [T − 1, H, W, 2], pixels from frame t to t + 1 (x, y); zero off the object.
        empty_scene: uint8 [H, W, 3], the background without object and shadow.
    """

    mask: Floats
    track: Track
    flow: Floats
    empty_scene: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class DioramaClip:
    """frames uint8 [T, H, W, 3] RGB and the truth about them."""

    spec: ClipSpec
    frames: npt.NDArray[np.uint8]
    truth: Truth


def _track_of(spec: ClipSpec, random: np.random.Generator) -> Track:
    if spec.frames > 1:
        return make_track(spec.motion, Stage(spec.height, spec.width, spec.frames), random)
    # A picture is one instant out of the motion, so that pictures show everything clips show.
    whole = make_track(spec.motion, Stage(spec.height, spec.width, 17), random)
    at = slice(int(random.integers(17)), None)
    return Track(whole.x[at][:1], whole.y[at][:1], whole.size[at][:1], whole.rotation[at][:1])


def _placement(level_side: int, x: float, y: float, size: float, rotation: float) -> npt.NDArray[np.float64]:
    """Affine [2, 3] from sprite pixels to frame pixels."""
    scale = size / level_side
    angle = np.deg2rad(rotation)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    centre = (level_side - 1) / 2
    linear = np.array([[cos, -sin], [sin, cos]])
    offset = np.array([x, y]) - linear @ np.array([centre, centre])
    return np.concatenate([linear, offset[:, None]], axis=1)


def _draw(sprite: Sprite, spec: ClipSpec, x: float, y: float, size: float, rotation: float) -> Floats:
    """The object alone, premultiplied RGBA float32 [H, W, 4]."""
    level = sprite.level_for(size)
    matrix = _placement(level.shape[0], x, y, size, rotation)
    drawn = cv2.warpAffine(level, matrix, (spec.width, spec.height), flags=cv2.INTER_LINEAR)
    return np.asarray(drawn, dtype=np.float32)


def _composite(scene: Floats, drawn: Floats, size: float) -> Floats:
    alpha = drawn[..., 3]
    shift = np.array([[1, 0, SHADOW_OFFSET[0] * size], [0, 1, SHADOW_OFFSET[1] * size]], dtype=np.float32)
    moved = cv2.warpAffine(alpha, shift, (alpha.shape[1], alpha.shape[0]))
    shadow = cv2.GaussianBlur(moved, (0, 0), max(size * 0.04, 0.5)) * SHADOW_STRENGTH
    shaded = scene * (1 - shadow[..., None])
    return np.asarray(shaded * (1 - drawn[..., 3:]) + drawn[..., :3], dtype=np.float32)


def _flow(spec: ClipSpec, track: Track, mask: Floats) -> Floats:
    """Forward flow of the object's pixels from the two placements, no estimation."""
    y, x = np.mgrid[0 : spec.height, 0 : spec.width].astype(np.float64)
    flow = np.zeros((max(spec.frames - 1, 0), spec.height, spec.width, 2), np.float32)
    for t in range(spec.frames - 1):
        turn = np.deg2rad(track.rotation[t + 1] - track.rotation[t])
        grow = track.size[t + 1] / track.size[t]
        dx, dy = x - track.x[t], y - track.y[t]
        next_x = track.x[t + 1] + grow * (np.cos(turn) * dx - np.sin(turn) * dy)
        next_y = track.y[t + 1] + grow * (np.sin(turn) * dx + np.cos(turn) * dy)
        flow[t] = np.stack([next_x - x, next_y - y], axis=-1) * (mask[t] > 0.5)[..., None]
    return flow


def render(spec: ClipSpec, with_flow: bool = True) -> DioramaClip:
    """Draws the clip. The same spec gives the same bytes.

    Args:
        with_flow: False leaves `truth.flow` empty [0, H, W, 2]; data caches have no use for it.
    """
    random = np.random.default_rng([spec.seed, spec.frames == 1])
    scene = paint_scene(spec.scene, spec.height, spec.width, random)
    track = _track_of(spec, random)
    sprite = load_sprite(spec.noun)
    frames = np.empty((spec.frames, spec.height, spec.width, 3), np.uint8)
    mask = np.empty((spec.frames, spec.height, spec.width), np.float32)
    for t in range(spec.frames):
        drawn = _draw(sprite, spec, track.x[t], track.y[t], track.size[t], track.rotation[t])
        mask[t] = drawn[..., 3]
        frames[t] = np.clip(_composite(scene, drawn, track.size[t]) * 255 + 0.5, 0, 255).astype(np.uint8)
    flow = _flow(spec, track, mask) if with_flow else np.zeros((0, spec.height, spec.width, 2), np.float32)
    empty = np.clip(scene * 255 + 0.5, 0, 255).astype(np.uint8)
    return DioramaClip(spec, frames, Truth(mask, track, flow, empty))
