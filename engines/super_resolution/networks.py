"""The two super-resolution networks of Real-ESRGAN, on our own small modules with the published parameter names.

Shape legend: B frames, h rows, w columns; H = scale · h, W = scale · w. RGB, 0 … 1, the output not clamped.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2  # of every leaky ReLU in the large network
RESIDUAL = 0.2  # weight of every residual in the large network


class CompactNetwork(nn.Module):
    """SRVGGNetCompact: a chain of convolutions at the input's size, and pixel shuffle at the end.

    Wang et al. 2021, "Real-ESRGAN"; the small video models of its repository.

    Args:
        width: Channels between the convolutions.
        depth: Convolutions with that many channels on both sides.
        scale: How many times larger the output is.
    """

    def __init__(self, width: int = 64, depth: int = 16, scale: int = 4) -> None:
        super().__init__()
        self.scale = scale
        widths = [3, *[width] * (depth + 1), 3 * scale * scale]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.PReLU(outputs)]
        self.body = nn.ModuleList(layers[:-1])  # nothing bends behind the last convolution

    @property
    def reach(self) -> int:
        """How far a pixel's influence goes, in pixels of the input."""
        return (len(self.body) + 1) // 2

    def forward(self, frames: Tensor) -> Tensor:
        """[B, 3, h, w] → [B, 3, H, W]."""
        values = frames
        for layer in self.body:
            values = layer(values)
        enlarged = functional.interpolate(frames, scale_factor=self.scale, mode="nearest")
        return functional.pixel_shuffle(values, self.scale) + enlarged


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees everything before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for number in range(1, 5):
            self.add_module(f"conv{number}", nn.Conv2d(width + (number - 1) * growth, growth, 3, padding=1))
        self.conv5 = nn.Conv2d(width + 4 * growth, width, 3, padding=1)

    def forward(self, values: Tensor) -> Tensor:
        seen = [values]
        for number in range(1, 5):
            convolution = self.get_submodule(f"conv{number}")
            seen.append(functional.leaky_relu(convolution(torch.cat(seen, 1)), SLOPE))
        return values + RESIDUAL * self.conv5(torch.cat(seen, 1))


class ResidualDenseBlock(nn.Module):
    """Three dense blocks in a row, with a residual around them."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (DenseBlock(width, growth) for _ in range(3))

    def forward(self, values: Tensor) -> Tensor:
        return values + RESIDUAL * self.rdb3(self.rdb2(self.rdb1(values)))


class LargeNetwork(nn.Module):
    """RRDBNet, the generator of ESRGAN and Real-ESRGAN: 4 times larger; with scale 2 or 1 it folds its input first.

    Wang et al. 2018, "ESRGAN".

    Args:
        width, blocks, growth: Channels, residual blocks, channels that each convolution of a block adds.
        scale: 4, 2 or 1.
    """

    def __init__(self, width: int = 64, blocks: int = 23, growth: int = 32, scale: int = 4) -> None:
        super().__init__()
        self.scale = scale
        self.fold = 4 // scale
        self.conv_first = nn.Conv2d(3 * self.fold**2, width, 3, padding=1)
        self.body = nn.Sequential(*(ResidualDenseBlock(width, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        self.conv_up1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv_up2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)

    @property
    def reach(self) -> int:
        """In theory 352 pixels; with the published weights, what lies further changes less than a grey level."""
        return 24 * self.fold

    def forward(self, frames: Tensor) -> Tensor:
        """[B, 3, h, w] → [B, 3, H, W]; a fold needs h and w to be multiples of it, what is missing is reflected."""
        height, width = frames.shape[2:]
        missing = (-width % self.fold, -height % self.fold)
        if any(missing):
            frames = functional.pad(frames, (0, missing[0], 0, missing[1]), mode="replicate")
        first = self.conv_first(functional.pixel_unshuffle(frames, self.fold))
        values = first + self.conv_body(self.body(first))
        for convolution in (self.conv_up1, self.conv_up2):
            values = functional.interpolate(values, scale_factor=2, mode="nearest")
            values = functional.leaky_relu(convolution(values), SLOPE)
        made: Tensor = self.conv_last(functional.leaky_relu(self.conv_hr(values), SLOPE))
        return made[:, :, : height * self.scale, : width * self.scale]


Network = CompactNetwork | LargeNetwork
