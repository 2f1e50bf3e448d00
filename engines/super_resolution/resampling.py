"""Larger and smaller, and back again: what ties a restored picture to the one that was filmed.

Shape legend: h rows, w columns of the input; H, W of the result. Tensors are float32 [1, 3, ·, ·], 0 … 1.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engines.footage.footage import Frame

Size = tuple[int, int]  # rows, columns
ROUNDS = 2  # of back-projection: the third changes less than a grey level


def as_tensor(frame: Frame) -> Tensor:
    """uint8 or uint16 [h, w, 3] → [1, 3, h, w]."""
    values = torch.from_numpy(frame.astype(np.float32) / np.iinfo(frame.dtype).max)
    return values.permute(2, 0, 1)[None].contiguous()


def resize(picture: Tensor, size: Size) -> Tensor:
    """Bicubic (a = −0.5), the filter widened where it shrinks, so that nothing aliases."""
    if picture.shape[2:] == size:
        return picture
    return functional.interpolate(picture, size=size, mode="bicubic", antialias=True)


def low_pass(picture: Tensor, sigma: float) -> Tensor:
    """Gaussian blur; sigma in pixels, 0 leaves the picture as it is."""
    if sigma <= 0:
        return picture
    radius = max(1, math.ceil(3 * sigma))
    weights = torch.exp(-(torch.arange(-radius, radius + 1, device=picture.device) ** 2) / (2 * sigma**2))
    weights = (weights / weights.sum()).to(picture.dtype).expand(3, 1, 1, -1)
    padded = functional.pad(picture, (radius,) * 4, mode="replicate")
    across = functional.conv2d(padded, weights, groups=3)
    return functional.conv2d(across, weights.transpose(2, 3), groups=3)


def back_project(picture: Tensor, filmed: Tensor, sigma: float, rounds: int = ROUNDS) -> Tensor:
    """Changes a picture until, shrunk again, it equals the filmed one up to what the low pass takes out.

    Irani and Peleg 1991, "Improving resolution by image registration". The low pass keeps noise and the edges of
    compression blocks, which are the finest things in a filmed frame, from coming back.

    Args:
        picture: [1, 3, H, W]. filmed: [1, 3, h, w].
        sigma: Of the low pass, pixels of the input.
    """
    size, small = _size(picture), _size(filmed)
    for _ in range(rounds):
        missing = low_pass(filmed - resize(picture, small), sigma)
        picture = picture + resize(missing, size)
    return picture


def _size(picture: Tensor) -> Size:
    return picture.shape[2], picture.shape[3]
