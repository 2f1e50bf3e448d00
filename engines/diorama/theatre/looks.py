"""Light, styles and what bad cameras do: frames in, frames out.

Pictures are float32 0 … 1 or uint8, [T, H, W, 3] RGB.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.spec import Degradation, Light, SceneSpec

Pictures = npt.NDArray[np.float32]
Frames = npt.NDArray[np.uint8]
PIXELS_ACROSS = 32
WARM = np.array([0.22, 0.02, -0.24], np.float32)


def dress(pictures: Pictures, spec: SceneSpec) -> Frames:
    """Light, then style, then eight bits."""
    lit = pictures if spec.light == Light() else _lit(pictures, spec.light)
    if spec.style == "pencil":
        lit = np.stack([_pencil(picture) for picture in lit])
    elif spec.style == "pixel":
        lit = np.stack([_pixel(picture) for picture in lit])
    elif spec.style == "night":
        grey = lit.mean(-1, keepdims=True)
        lit = (0.45 * lit + 0.15 * grey) * np.array([0.55, 0.7, 1.25], np.float32)
    return np.asarray(np.clip(lit * 255 + 0.5, 0, 255), np.uint8)


def _lit(pictures: Pictures, light: Light) -> Pictures:
    return np.asarray(pictures * light.brightness * (1 + WARM * light.warmth), np.float32)


def _pencil(picture: Pictures) -> Pictures:
    """Grey lines where brightness changes, on paper."""
    grey = cv2.cvtColor(picture.clip(0, 1), cv2.COLOR_RGB2GRAY)
    side = min(grey.shape)
    soft = cv2.GaussianBlur(1 - grey, (0, 0), side / 32)
    drawn = np.clip(grey / np.maximum(1 - soft, 0.08), 0, 1)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    shade = np.clip(0.3 + 0.7 * drawn - 0.9 * edges, 0.05, 1) * (0.72 + 0.28 * grey)
    return np.asarray(shade[..., None] * np.array([0.98, 0.97, 0.93], np.float32), np.float32)


def _pixel(picture: Pictures) -> Pictures:
    """Large pixels in few colours."""
    height, width = picture.shape[:2]
    cells = max(1, round(min(height, width) / PIXELS_ACROSS))
    small = cv2.resize(picture, (max(1, width // cells), max(1, height // cells)), interpolation=cv2.INTER_AREA)
    few = np.round(small.clip(0, 1) * 6) / 6
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)


def degrade(frames: Frames, how: Degradation, seed: int) -> Frames:
    """Shrinks, blurs, adds noise and compresses, in this order. Noise is the same for the same seed."""
    if how == Degradation():
        return frames
    random = np.random.default_rng([seed, 7])
    return np.stack([_degraded(frame, how, random) for frame in frames])


def _degraded(frame: Frames, how: Degradation, random: np.random.Generator) -> Frames:
    height, width = frame.shape[:2]
    if how.shrink > 1:
        size = (max(1, round(width / how.shrink)), max(1, round(height / how.shrink)))
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        frame = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    if how.blur > 0:
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), how.blur), np.uint8)
    if how.noise > 0:
        frame = np.asarray((frame + random.normal(0, how.noise, frame.shape)).round().clip(0, 255), np.uint8)
    if how.quality < 100:
        coded = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, how.quality])[1]
        frame = np.ascontiguousarray(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1], np.uint8)
    return frame
