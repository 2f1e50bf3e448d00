"""Added detail that stays where the things are, instead of flickering from frame to frame.

Shape legend: H rows, W columns of the result; the flow is of the input's frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from engines.footage.alignment import Floats, flow_to
from engines.footage.footage import Frame
from engines.footage.neighbours import Near
from engines.media.optical_flow import warp
from engines.super_resolution.alignment import enlarged_flow, trust

# Averaging blurs detail where flow is a little off; its energy is given back, but not where little is left of it.
LARGEST_GAIN = 1.5


@dataclass(frozen=True)
class Detailed:
    """A frame on its way.

    Attributes:
        filmed: uint8 [h, w, 3], what flow is estimated on.
        plain: float32 [H, W, 3], the input enlarged without a network.
        detail: float32 [H, W, 3], what is added to it.
        kind: uint8 or uint16, of the finished frame.
    """

    filmed: npt.NDArray[np.uint8]
    plain: Floats
    detail: Floats
    kind: np.dtype[Any]

    def finished(self, detail: Floats) -> Frame:
        """[H, W, 3] with this detail, rounded and clipped."""
        peak = np.iinfo(self.kind).max
        made: Frame = np.rint((self.plain + detail) * peak).clip(0, peak).astype(self.kind)
        return made


def steady_detail(near: Near[Detailed]) -> Floats:
    """The detail of the frame in the middle, averaged with its neighbours' along the flow: float32 [H, W, 3].

    Only the detail is averaged: what was filmed moves as it was filmed. Its energy over the frame stays, so the result
    is as sharp as before.
    """
    here = near.centre
    total, weights = here.detail.copy(), np.ones((*here.detail.shape[:2], 1), np.float32)
    for other in near.others:
        flow = flow_to(here.filmed, other.filmed)
        weight = _enlarged(trust(here.filmed, other.filmed, flow), here.detail.shape[:2])
        total += weight * warp(other.detail, enlarged_flow(flow, here.detail.shape[:2]))
        weights += weight
    steady = np.asarray(total / weights, np.float32)
    gain = _energy(here.detail) / max(_energy(steady), 1e-6)
    return np.asarray(steady * min(gain, LARGEST_GAIN), np.float32)


def _energy(detail: Floats) -> float:
    return float(np.sqrt(np.square(detail).mean(dtype=np.float64)))


def _enlarged(weight: Floats, size: tuple[int, ...]) -> Floats:
    return np.asarray(cv2.resize(weight, (size[1], size[0]), interpolation=cv2.INTER_LINEAR), np.float32)[..., None]
