"""Faces that talk: the mouth opens as far as the voice is loud.

Shape legend: T frames; layer coordinates in pixels; opening and loudness 0 … 1.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.figures import FINE, HAIRS, SKINS
from engines.diorama.theatre.parts import Part, Performance, Texture, placed
from engines.diorama.theatre.spec import Portrait
from engines.diorama.theatre.things import place_of, turn_hue

Floats = npt.NDArray[np.float64]
SHUT, WIDE = 0.12, 1.0  # the mouth's height relative to its greatest
SYLLABLE_SECONDS = (0.14, 0.26)


def perform(portrait: Portrait, frames: int, height: int, width: int, fps: int) -> Performance:
    """What the face says and how it looks."""
    random = np.random.default_rng([portrait.seed, 3])
    place = place_of(portrait, height, width)
    side = min(place.width, place.height) * random.uniform(0.74, 0.84) * portrait.largeness
    phase = random.uniform(0, 2 * np.pi)
    sway = 0.02 * side * np.sin(2 * np.pi * np.arange(frames) / 30 + phase)
    at = np.stack([place.left + place.width / 2 + random.uniform(-0.04, 0.04) * place.width + sway,
                   np.full(frames, place.top + place.height * 0.52)], axis=1)  # fmt: skip
    tilt = 0.04 * np.sin(2 * np.pi * np.arange(frames) / 37 + phase)
    voice = syllables(frames, fps, random) if portrait.speaks else np.zeros(frames)
    skin, hair = SKINS[random.integers(len(SKINS))], HAIRS[random.integers(len(HAIRS))]
    face, mouth = _face(side, skin, hair), _mouth(side)
    if portrait.hue:
        face, mouth = turn_hue(face, portrait.hue), turn_hue(mouth, portrait.hue)
    middle = ((face.shape[1] - 1) / 2, (face.shape[0] - 1) / 2)
    turned = np.stack([-np.sin(tilt), np.cos(tilt)], axis=1) * 0.24 * side
    opening = SHUT + (WIDE - SHUT) * voice
    parts = (
        Part("face", (face,), placed(1.0, tilt, at, middle)),
        Part("mouth", (mouth,), placed(np.stack([np.ones(frames), opening], axis=1), tilt, at + turned,
                                       ((mouth.shape[1] - 1) / 2, (mouth.shape[0] - 1) / 2))),
    )  # fmt: skip
    return Performance(
        parts, {"centre": at, "mouth": at + turned}, at, np.full(frames, side), shadow=0.0, mouth=voice, voice=voice
    )


def syllables(frames: int, fps: int, random: np.random.Generator) -> Floats:
    """Loudness of a voice that says syllables with short rests, [T]."""
    loud, time = np.zeros(frames), -random.uniform(0, 0.2)
    moments = np.arange(frames) / fps
    while time < frames / fps:
        length, peak = random.uniform(*SYLLABLE_SECONDS), random.uniform(0.55, 1.0)
        inside = (moments >= time) & (moments < time + length)
        loud[inside] = peak * np.sin(np.pi * (moments[inside] - time) / length) ** 2
        time += length + (random.uniform(0.15, 0.35) if random.random() < 0.2 else random.uniform(0, 0.05))
    return loud


def _face(side: float, skin: tuple[float, float, float], hair: tuple[float, float, float]) -> Texture:
    size = int(np.ceil(side)) + 4
    canvas = np.zeros((size * FINE, size * FINE, 4), np.float32)

    def oval(
        x: float, y: float, rx: float, ry: float, colour: tuple[float, ...], begin: int = 0, end: int = 360
    ) -> None:
        centre = (int((size / 2 + x * side) * FINE), int((size / 2 + y * side) * FINE))
        axes = (max(1, int(rx * side * FINE)), max(1, int(ry * side * FINE)))
        cv2.ellipse(canvas, centre, axes, 0, begin, end, (*colour, 1.0), -1, cv2.LINE_8)

    oval(0, -0.04, 0.4, 0.45, hair)
    oval(0, 0.04, 0.34, 0.43, skin)
    oval(0, -0.2, 0.36, 0.25, hair, 180, 360)
    for sign in (-1, 1):
        oval(sign * 0.15, -0.02, 0.07, 0.06, (0.98, 0.98, 0.97))
        oval(sign * 0.15, -0.02, 0.035, 0.04, (0.15, 0.2, 0.28))
    oval(0, 0.1, 0.03, 0.05, tuple(value * 0.85 for value in skin))
    return np.asarray(cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA), np.float32)


def _mouth(side: float) -> Texture:
    """Wide open; the maps close it."""
    width, height = int(np.ceil(0.3 * side)) + 4, int(np.ceil(0.24 * side)) + 4
    canvas = np.zeros((height * FINE, width * FINE, 4), np.float32)
    centre = (width * FINE // 2, height * FINE // 2)
    for share, colour in ((1.0, (0.72, 0.2, 0.22)), (0.78, (0.25, 0.05, 0.07))):
        axes = (int(0.14 * side * FINE * share), int(0.11 * side * FINE * share))
        cv2.ellipse(canvas, centre, axes, 0, 0, 360, (*colour, 1.0), -1, cv2.LINE_8)
    return np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), np.float32)
