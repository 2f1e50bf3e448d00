"""Paper dolls: a skeleton of joints, limbs that turn about them, a garment, and what they do.

Proportions are in heads-to-feet units: 1 is the figure's height. Angles in radians; a limb at 0 hangs down, positive
angles turn it clockwise as seen. Shape legend: T frames; J joints; layer coordinates in pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.garments import COLOURS, pattern
from engines.diorama.theatre.parts import Part, Performance, Texture, placed
from engines.diorama.theatre.spec import Action, Figure
from engines.diorama.theatre.things import place_of, turn_hue

Floats = npt.NDArray[np.float64]
CYCLE_FRAMES = 16.0
HEIGHT_SHARE = (0.84, 0.9)
HEAD_RADIUS, NECK, SHOULDER, HIP_HEIGHT = 0.135, 0.25, 0.29, 0.6
SHOULDER_SIDE, HIP_SIDE = 0.15, 0.075
ARM, LEG, LIMB_WIDTH = 0.165, 0.2, 0.075
SKINS = ((0.98, 0.84, 0.72), (0.9, 0.7, 0.53), (0.66, 0.46, 0.32), (0.45, 0.3, 0.21))
HAIRS = ((0.16, 0.11, 0.09), (0.42, 0.25, 0.13), (0.85, 0.66, 0.3), (0.62, 0.2, 0.1))
TROUSERS = (0.32, 0.36, 0.45)
SHOE = (0.18, 0.16, 0.17)


@dataclass(frozen=True)
class Pose:
    """Angles of the limbs and place of the hips, each [T]; left is the viewer's left.

    Attributes:
        x: Of the hips, in units from where the figure stands; lift: how far the feet are off the ground, units.
        lean: Of the whole body.
    """

    left_arm: Floats
    left_elbow: Floats
    right_arm: Floats
    right_elbow: Floats
    left_leg: Floats
    left_knee: Floats
    right_leg: Floats
    right_knee: Floats
    x: Floats
    lift: Floats
    lean: Floats


def _resting(count: int) -> Pose:
    zero = np.zeros(count)
    return Pose(zero + 0.2, zero + 0.1, zero - 0.2, zero - 0.1, zero + 0.06, zero, zero - 0.06, zero, zero, zero, zero)


def _stands(time: Floats, way: float) -> Pose:
    return _resting(len(time))


def _walks(direction: int) -> Callable[[Floats, float], Pose]:
    def pose(time: Floats, way: float) -> Pose:
        swing = np.sin(2 * np.pi * time)
        bent = np.clip(np.cos(2 * np.pi * time), 0, 1) * 0.7 * direction
        other = np.clip(-np.cos(2 * np.pi * time), 0, 1) * 0.7 * direction
        along = np.linspace(-0.5, 0.5, len(time)) * direction * way
        return replace(
            _resting(len(time)), left_arm=0.65 * swing + 0.05, right_arm=-0.65 * swing - 0.05,
            left_elbow=np.full(len(time), -0.35 * direction), right_elbow=np.full(len(time), -0.35 * direction),
            left_leg=-0.55 * swing, right_leg=0.55 * swing, left_knee=bent, right_knee=other, x=along,
            lift=0.015 * np.cos(4 * np.pi * time) + 0.015, lean=np.full(len(time), 0.05 * direction),
        )  # fmt: skip

    return pose


def _waves(time: Floats, way: float) -> Pose:
    rest = _resting(len(time))
    return replace(rest, right_arm=rest.right_arm - 2.25, right_elbow=-0.35 + 0.65 * np.sin(2 * np.pi * 1.6 * time))


def _dances(time: Floats, way: float) -> Pose:
    beat = np.sin(2 * np.pi * time)
    step = np.clip(beat, 0, 1), np.clip(-beat, 0, 1)
    return replace(
        _resting(len(time)), left_arm=1.9 + 0.7 * beat, right_arm=-1.9 + 0.7 * beat,
        left_elbow=np.full(len(time), 0.7), right_elbow=np.full(len(time), -0.7), left_leg=0.1 + 0.55 * step[0],
        right_leg=-0.1 - 0.55 * step[1], left_knee=-0.9 * step[0], right_knee=0.9 * step[1], x=0.05 * beat,
        lean=0.13 * beat,
    )  # fmt: skip


def _jumps(time: Floats, way: float) -> Pose:
    phase = time % 1
    air = np.clip(4 * phase * (1 - phase) - 0.25, 0, 1) / 0.75
    crouch = np.clip(0.25 - 4 * phase * (1 - phase), 0, 1) * 2.2
    return replace(
        _resting(len(time)), left_arm=0.3 + 1.7 * air, right_arm=-0.3 - 1.7 * air, left_leg=0.12 + 0.25 * air + crouch,
        right_leg=-0.12 - 0.25 * air - crouch, left_knee=-0.5 * air - 1.6 * crouch,
        right_knee=0.5 * air + 1.6 * crouch, lift=0.16 * air - 0.02 * crouch,
    )  # fmt: skip


def _claps(time: Floats, way: float) -> Pose:
    apart = 0.5 + 0.5 * np.cos(2 * np.pi * 1.6 * time)
    rest = _resting(len(time))
    return replace(
        rest, left_arm=0.2 + 0.6 * apart, right_arm=-0.2 - 0.6 * apart, left_elbow=-1.75 + 0.75 * apart,
        right_elbow=1.75 - 0.75 * apart,
    )  # fmt: skip


ACTIONS: dict[Action, Callable[[Floats, float], Pose]] = {
    "stands still": _stands, "walks left": _walks(-1), "walks right": _walks(1), "waves": _waves, "dances": _dances,
    "jumps": _jumps, "claps": _claps,
}  # fmt: skip
# How far hands reach to either side of the hips, units.
REACH: dict[Action, float] = {"walks left": 0.44, "walks right": 0.44, "waves": 0.44, "dances": 0.57, "jumps": 0.5}
USUAL_REACH = 0.36
# Highest share of the height that an action adds above the standing figure.
HEADROOM: dict[Action, float] = {"jumps": 0.17, "dances": 0.06, "waves": 0.02}
WAY_OF_WALKING = 0.55  # of the region's width


def perform(figure: Figure, frames: int, height: int, width: int) -> Performance:
    """What the figure does."""
    random = np.random.default_rng([figure.seed, 2])
    place = place_of(figure, height, width)
    tall = float(random.uniform(*HEIGHT_SHARE)) * figure.largeness
    share = REACH.get(figure.action, USUAL_REACH)
    unit = min(tall * place.height / (1 + HEADROOM.get(figure.action, 0)), place.width / (2 * share))
    ground = place.top + place.height - unit * (LIMB_WIDTH * 0.7 + random.uniform(0.0, 0.02))
    reach = unit * share
    walks = figure.action.startswith("walks")
    way = min(WAY_OF_WALKING * place.width, max(0.0, place.width - 2 * reach)) if walks else 0.0
    room = max(0.0, place.width - 2 * reach - way) / 2
    stands_at = place.left + place.width / 2 + random.uniform(-room, room)
    start = random.uniform(0, 1)
    first = random.integers(int(CYCLE_FRAMES)) if frames == 1 else 0
    time = start + (first + np.arange(frames)) / (CYCLE_FRAMES * random.uniform(0.9, 1.15))
    pose = ACTIONS[figure.action](time, way / unit)
    looks = Looks(SKINS[random.integers(len(SKINS))], HAIRS[random.integers(len(HAIRS))])
    joints = skeleton(pose, stands_at, ground, unit)
    parts = _parts(figure, pose, joints, unit, looks)
    hits = _hits(figure.action, time)
    size = np.full(frames, unit * 0.6)
    return Performance(parts, joints, joints["hips"], size, shadow=0.0, hits=hits)


@dataclass(frozen=True)
class Looks:
    """RGB 0 … 1 of skin and hair."""

    skin: tuple[float, float, float]
    hair: tuple[float, float, float]


def skeleton(pose: Pose, x: float, ground: float, unit: float) -> dict[str, Floats]:
    """Joints in layer coordinates, each [T, 2]: the head's middle, shoulders, elbows, hands, hips, knees, feet."""
    hips = np.stack([x + pose.x * unit, ground - (1 - HIP_HEIGHT + pose.lift) * unit], axis=1)

    def body(dx: float, dy: float) -> Floats:
        """A point of the body, (dx, dy) units from the hips."""
        cos, sin = np.cos(pose.lean), np.sin(pose.lean)
        return hips + unit * np.stack([cos * dx - sin * dy, sin * dx + cos * dy], axis=1)

    def along(start: Floats, angle: Floats, length: float) -> Floats:
        return start + unit * length * np.stack([-np.sin(angle), np.cos(angle)], axis=1)

    joints = {"head": body(0, HEAD_RADIUS - HIP_HEIGHT), "neck": body(0, NECK - HIP_HEIGHT), "hips": hips}
    for side, sign in (("left", -1), ("right", 1)):
        shoulder = body(sign * SHOULDER_SIDE, SHOULDER - HIP_HEIGHT)
        hip = body(sign * HIP_SIDE, 0)
        upper, lower = arm_angles(pose, side)
        thigh, shin = leg_angles(pose, side)
        elbow, knee = along(shoulder, upper, ARM), along(hip, thigh, LEG)
        joints |= {
            f"{side} shoulder": shoulder, f"{side} elbow": elbow, f"{side} hand": along(elbow, lower, ARM),
            f"{side} hip": hip, f"{side} knee": knee, f"{side} foot": along(knee, shin, LEG),
        }  # fmt: skip
    return joints


def arm_angles(pose: Pose, side: str) -> tuple[Floats, Floats]:
    """(upper arm, forearm) of one side, against the vertical."""
    upper = getattr(pose, f"{side}_arm") + pose.lean
    return upper, upper + getattr(pose, f"{side}_elbow")


def leg_angles(pose: Pose, side: str) -> tuple[Floats, Floats]:
    """(thigh, shin) of one side, against the vertical."""
    thigh = getattr(pose, f"{side}_leg") + pose.lean
    return thigh, thigh + getattr(pose, f"{side}_knee")


def _parts(figure: Figure, pose: Pose, joints: dict[str, Floats], unit: float, looks: Looks) -> tuple[Part, ...]:
    """From the back to the front: legs, torso, head, arms."""
    garment, parts = figure.garment, []
    cloth = COLOURS[garment.colour]
    leg_colour = looks.skin if garment.kind == "dress" else TROUSERS
    for side in ("left", "right"):
        thigh, shin = leg_angles(pose, side)
        parts.append(_limb(f"{side} shin", joints[f"{side} knee"], shin, LEG, unit, leg_colour, SHOE))
        parts.append(_limb(f"{side} thigh", joints[f"{side} hip"], thigh, LEG, unit, leg_colour))
    texture, pivot, scale = _torso(figure, unit)
    parts.append(Part("torso", (texture,), placed(scale, pose.lean, joints["hips"], pivot)))
    texture, pivot, scale = _head(looks, unit)
    parts.append(Part("head", (texture,), placed(scale, pose.lean, joints["head"], pivot)))
    for side in ("left", "right"):
        upper, lower = arm_angles(pose, side)
        parts.append(_limb(f"{side} upper arm", joints[f"{side} shoulder"], upper, ARM, unit, cloth))
        parts.append(_limb(f"{side} forearm", joints[f"{side} elbow"], lower, ARM, unit, looks.skin, looks.skin))
    if figure.hue:
        parts = [Part(one.name, tuple(turn_hue(t, figure.hue) for t in one.textures), one.maps) for one in parts]
    return tuple(parts)


FINE = 4  # shapes are drawn so many times as large and averaged


def _limb(
    name: str, joint: Floats, angle: Floats, length: float, unit: float, colour: tuple[float, float, float],
    end: tuple[float, float, float] | None = None,
) -> Part:  # fmt: skip
    """A capsule that hangs from its joint; `end` colours a hand or a foot."""
    wide, long = LIMB_WIDTH * unit, length * unit
    side, tall = int(np.ceil(wide * 1.5)) + 4, int(np.ceil(long + wide * 1.5)) + 4
    middle, top = side / 2, 2 + wide * 0.6
    shape = np.zeros((tall * FINE, side * FINE), np.uint8)
    ends = [(int(middle * FINE), int(y * FINE)) for y in (top, top + long)]
    cv2.line(shape, ends[0], ends[1], 255, max(1, int(wide * FINE)), cv2.LINE_AA)
    mask = _averaged(shape)
    rgb = np.broadcast_to(np.array(colour, np.float32), (*mask.shape, 3)).copy()
    if end is not None:
        disc = np.zeros_like(shape)
        cv2.circle(disc, ends[1], int(wide * 0.68 * FINE), 255, -1, cv2.LINE_AA)
        tip = _averaged(disc)
        rgb = rgb * (1 - tip[..., None]) + np.array(end, np.float32) * tip[..., None]
        mask = np.maximum(mask, tip)
    return Part(name, (_premultiplied(rgb, mask),), placed(1.0, angle, joint, (middle - 0.5, top - 0.5)))


def _torso(figure: Figure, unit: float) -> tuple[Texture, tuple[float, float], float]:
    """(texture, the hips in it, layer pixels per texture pixel)."""
    dress = figure.garment.kind == "dress"
    below = 0.17 if dress else 0.03
    wide, tall = (0.5 if dress else 0.36) * unit, (HIP_HEIGHT - NECK + below) * unit
    width, height = int(np.ceil(wide)) + 4, int(np.ceil(tall)) + 4
    top, bottom = (0.15, 0.25) if dress else (0.155, 0.14)
    middle = width / 2
    corners = np.array([
        [middle - top * unit, 2], [middle + top * unit, 2], [middle + bottom * unit, 2 + tall],
        [middle - bottom * unit, 2 + tall],
    ])  # fmt: skip
    shape = np.zeros((height * FINE, width * FINE), np.uint8)
    cv2.fillPoly(shape, [np.round(corners * FINE).astype(np.int32)], 255, cv2.LINE_AA)
    cloth = pattern(figure.garment, height, width)
    return _premultiplied(cloth, _averaged(shape)), (middle - 0.5, 2 + (HIP_HEIGHT - NECK) * unit - 0.5), 1.0


def _head(looks: Looks, unit: float) -> tuple[Texture, tuple[float, float], float]:
    """(texture, the head's middle in it, layer pixels per texture pixel)."""
    radius = HEAD_RADIUS * unit
    side = int(np.ceil(2 * radius)) + 6
    middle = side / 2
    at = (int(middle * FINE), int(middle * FINE))
    shape = np.zeros((side * FINE, side * FINE), np.uint8)
    cv2.circle(shape, at, int(radius * FINE), 255, -1, cv2.LINE_AA)
    paint = np.empty((side * FINE, side * FINE, 3), np.float32)
    paint[:] = looks.skin
    hair = tuple(float(value) for value in looks.hair)
    cv2.ellipse(paint, (at[0], int((middle - radius * 0.35) * FINE)), (int(radius * 1.1 * FINE),
                int(radius * 0.75 * FINE)), 0, 180, 360, hair, -1, cv2.LINE_AA)  # fmt: skip
    for sign in (-1, 1):
        eye = (int((middle + sign * radius * 0.38) * FINE), int((middle + radius * 0.08) * FINE))
        cv2.circle(paint, eye, max(1, int(radius * 0.13 * FINE)), (0.1, 0.1, 0.12), -1, cv2.LINE_AA)
    smile = (at[0], int((middle + radius * 0.32) * FINE))
    cv2.ellipse(paint, smile, (int(radius * 0.4 * FINE), int(radius * 0.24 * FINE)), 0, 20, 160, (0.6, 0.15, 0.15),
                max(1, int(radius * 0.1 * FINE)), cv2.LINE_AA)  # fmt: skip
    rgb = np.asarray(cv2.resize(paint, (side, side), interpolation=cv2.INTER_AREA), np.float32)
    return _premultiplied(rgb, _averaged(shape)), (middle - 0.5, middle - 0.5), 1.0


def _averaged(shape: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    height, width = shape.shape[0] // FINE, shape.shape[1] // FINE
    shares = cv2.resize(shape, (width, height), interpolation=cv2.INTER_AREA) / np.float32(255)
    return np.asarray(shares, np.float32)


def _premultiplied(rgb: npt.NDArray[np.floating], mask: npt.NDArray[np.floating]) -> Texture:
    return np.concatenate([rgb * mask[..., None], mask[..., None]], axis=-1).astype(np.float32)


def _hits(action: Action, time: Floats) -> tuple[tuple[float, str], ...]:
    """Frames at which a jump lands or hands meet."""
    sound, phase = {"jumps": ("thump", time), "claps": ("clap", 1.6 * time + 0.5)}.get(action, ("", None))
    if phase is None or len(time) < 2:
        return ()
    whole = np.floor(phase)
    crossings = [t for t in range(1, len(phase)) if whole[t] > whole[t - 1]]
    return tuple((t - (phase[t] - whole[t]) / (phase[t] - phase[t - 1]), sound) for t in crossings)
