"""The bundled model, frozen, for what is taught beside it."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import torch

from engines.backend.families.ltx import LTXFamily
from engines.backend.registry import ModelRegistry

MODEL = "diorama"


def load_model() -> LTXFamily:
    """On the CPU, in the precision that is fastest there."""
    return cast(LTXFamily, ModelRegistry(device=torch.device("cpu")).load(MODEL))


def tokens_of(family: LTXFamily, frames: npt.NDArray[np.uint8]) -> torch.Tensor:
    """Latents of a clip uint8 [T, H, W, 3], normalised, [1, N, C]."""
    count, height, width, _ = frames.shape
    geometry = family.geometry(height, width, count, family.card.defaults.fps)
    return family.pack(family.encode(frames), geometry).values
