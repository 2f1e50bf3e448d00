"""A pinhole camera before fronto-parallel layers: each layer moves by a similarity, exactly.

Units: layer coordinates are pixels of the frame as the camera at rest sees that layer (x right, y down); world
coordinates have the camera at rest at the origin, looking along z; depth d is the plane z = d.
Shape legend: T frames; an affine map is float64 [2, 3] and takes (x, y, 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.spec import SceneSpec

BACKGROUND_DEPTH = 8.0
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CameraTrack:
    """Where the camera is in each frame.

    Attributes:
        focal: [T], pixels; centre: (x, y) of the principal point, pixels.
        position: [T, 3], world.
        roll: [T], radians, clockwise as seen.
        rest_focal: Of the camera at rest.
    """

    focal: Floats
    centre: tuple[float, float]
    position: Floats
    roll: Floats
    rest_focal: float

    def layer_map(self, depth: float, frame: int) -> Floats:
        """From layer coordinates to the frame: u = c + R·s·((X − c) − C·f₀/d), s = f/f₀ · d/(d − C_z)."""
        centre = np.array(self.centre)
        away = depth - self.position[frame, 2]
        scale = self.focal[frame] / self.rest_focal * depth / away
        cos, sin = np.cos(-self.roll[frame]), np.sin(-self.roll[frame])
        linear = scale * np.array([[cos, -sin], [sin, cos]])
        shift = centre + self.position[frame, :2] * self.rest_focal / depth
        return np.concatenate([linear, (centre - linear @ shift)[:, None]], axis=1)

    @property
    def intrinsics(self) -> Floats:
        """[T, 3, 3]."""
        made = np.tile(np.eye(3), (len(self.focal), 1, 1))
        made[:, 0, 0] = made[:, 1, 1] = self.focal
        made[:, 0, 2], made[:, 1, 2] = self.centre
        return made

    @property
    def poses(self) -> Floats:
        """World to camera, [T, 4, 4]."""
        made = np.tile(np.eye(4), (len(self.focal), 1, 1))
        cos, sin = np.cos(-self.roll), np.sin(-self.roll)
        made[:, 0, 0], made[:, 0, 1], made[:, 1, 0], made[:, 1, 1] = cos, -sin, sin, cos
        made[:, :3, 3] = -np.einsum("tij,tj->ti", made[:, :3, :3], self.position)
        return made

    def world_point(self, point: Floats, depth: float) -> Floats:
        """Layer coordinates [..., 2] → world [..., 3]."""
        flat = (np.asarray(point) - np.array(self.centre)) * depth / self.rest_focal
        return np.concatenate([flat, np.full((*flat.shape[:-1], 1), depth)], axis=-1)


def camera_track(spec: SceneSpec) -> CameraTrack:
    """The path that the spec asks for, eased in and out."""
    progress = np.arange(spec.frames) / max(spec.frames - 1, 1)
    eased = progress * progress * (3 - 2 * progress)
    unit, focal = min(spec.height, spec.width), float(max(spec.height, spec.width))
    position = np.zeros((spec.frames, 3))
    for axis in (0, 1):
        position[:, axis] = eased * spec.camera.pan[axis] * unit * BACKGROUND_DEPTH / focal
    position[:, 2] = eased * spec.camera.travel
    return CameraTrack(
        focal * spec.camera.zoom**eased, ((spec.width - 1) / 2, (spec.height - 1) / 2), position,
        np.deg2rad(spec.camera.roll) * eased, focal,
    )  # fmt: skip


def compose(outer: Floats, inner: Floats) -> Floats:
    """The affine map outer ∘ inner, [2, 3]."""
    linear = outer[:, :2] @ inner[:, :2]
    return np.concatenate([linear, (outer[:, :2] @ inner[:, 2] + outer[:, 2])[:, None]], axis=1)


def inverse(matrix: Floats) -> Floats:
    """Of an affine map, [2, 3]."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.concatenate([linear, -(linear @ matrix[:, 2])[:, None]], axis=1)


def apply(matrix: Floats, points: Floats) -> Floats:
    """Points [..., 2] through an affine map."""
    moved: Floats = points @ matrix[:, :2].T + matrix[:, 2]
    return moved
