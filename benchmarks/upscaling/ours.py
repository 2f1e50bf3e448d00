"""What is measured: the request's defaults, on frames in memory.

Shape legend: T frames; h, w of the small frames.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.upscaling.clips import Pair
from engines.backend.precision import compute_dtype
from engines.footage.footage import ClipFootage, Footage
from engines.media.clip import Clip
from engines.super_resolution.engine import WEIGHTS, WEIGHTS_FOLDER
from engines.super_resolution.networks import Network
from engines.super_resolution.request import UpscaleRequest
from engines.super_resolution.upscaled import Restoration, Upscaled
from engines.super_resolution.weights import load_network

Frames = npt.NDArray[np.uint8]


def default(name: str) -> float:
    """What the request's field is when nobody says anything."""
    return float(UpscaleRequest.model_fields[name].default)


@cache
def network(dtype: torch.dtype) -> Network:
    """The compact network in this number format."""
    return load_network(WEIGHTS_FOLDER / WEIGHTS["drawn"]).to(dtype)


def stage(source: Footage, height: int, width: int, temporal: bool = True) -> Upscaled:
    """The request's defaults on this footage, in the number format that the studio picks here."""
    how = Restoration(default("detail"), default("denoise"), temporal)
    return Upscaled(source, network(compute_dtype(torch.device("cpu"))), height, width, how)


def upscale(pair: Pair, temporal: bool = True) -> Frames:
    """uint8 [T, scale · h, scale · w, 3]."""
    source = ClipFootage(Clip(pair.small, Fraction(24)))
    larger = stage(source, source.height * pair.scale, source.width * pair.scale, temporal)
    return np.stack(list(larger.frames(range(larger.count)))).astype(np.uint8)
