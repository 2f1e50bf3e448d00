"""RIFE 4.0's flow network on our own small modules, with the published parameter names.

Huang et al. 2022, "Real-Time Intermediate Flow Estimation for Video Frame Interpolation"; weights of the 4.0 release.

Shape legend: B pairs, h rows, w columns, multiples of 32 times the coarsest scale. Flow is in pixels, channels x and y.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

SCALES = (8.0, 4.0, 2.0, 1.0)
WIDTHS = (192, 128, 96, 64)
# Where the second block corrects flow by more than this, motion is larger than the first one could see.
LARGE_CORRECTION = 32.0


@dataclass(frozen=True)
class Estimate:
    """What the network says of a moment between two frames.

    Attributes:
        first, second: [B, 3, h, w], both frames warped to the moment.
        mask: [B, 1, h, w], weight of `first`, 0 … 1.
        motion: [B, 1, h, w], how far a thing moves from the one frame to the other, pixels.
    """

    first: Tensor
    second: Tensor
    mask: Tensor
    motion: Tensor

    @property
    def merged(self) -> Tensor:
        """[B, 3, h, w]: RIFE's own picture."""
        return self.first * self.mask + self.second * (1 - self.mask)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.PReLU(outputs))


class FlowBlock(nn.Module):
    """Flow and mask at one scale: a correction of what came before."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(_convolution(inputs, width // 2, 2), _convolution(width // 2, width, 2))
        self.convblock = nn.Sequential(*(_convolution(width, width) for _ in range(8)))
        self.lastconv = nn.ConvTranspose2d(width, 5, 4, 2, 1)

    def forward(self, seen: Tensor, flow: Tensor | None, scale: float) -> tuple[Tensor, Tensor]:
        """→ flow [B, 4, h, w] (to the first frame, to the second), mask before its sigmoid [B, 1, h, w]."""
        seen = _resized(seen, 1 / scale)
        if flow is not None:
            seen = torch.cat((seen, _resized(flow, 1 / scale) / scale), 1)
        features = self.conv0(seen)
        features = self.convblock(features) + features
        found = _resized(self.lastconv(features), scale * 2)
        return found[:, :4] * scale * 2, found[:, 4:5]


class FlowNetwork(nn.Module):
    """IFNet: four blocks, coarse to fine, each of which sees the frames warped by what is known so far."""

    def __init__(self) -> None:
        super().__init__()
        self.block0 = FlowBlock(7, WIDTHS[0])
        self.block1, self.block2, self.block3 = (FlowBlock(12, width) for width in WIDTHS[1:])

    def forward(self, first: Tensor, second: Tensor, moment: float, coarser: float = 1.0) -> Estimate:
        """The pair [B, 3, h, w], 0 … 1, at `moment` between them, 0 … 1.

        Args:
            coarser: Factor on all scales: 2 looks for flow at half the resolution.
        """
        time = torch.full_like(first[:, :1], moment)
        factor = coarser
        flow, mask = self._coarse(first, second, time, factor)
        warped = _warp_both(first, second, flow)
        correction, delta = self._finer(1, warped, time, mask, flow, factor)
        if min(float(correction[:, :2].abs().max()), float(correction[:, 2:].abs().max())) > LARGE_CORRECTION:
            factor *= 2
            flow, mask = self._coarse(first, second, time, factor)
            warped = _warp_both(first, second, flow)
            correction, delta = self._finer(1, warped, time, mask, flow, factor)
        flow, mask = flow + correction, mask + delta
        for number in (2, 3):
            warped = _warp_both(first, second, flow)
            correction, delta = self._finer(number, warped, time, mask, flow, factor)
            flow, mask = flow + correction, mask + delta
        motion = torch.linalg.vector_norm(flow[:, 2:] - flow[:, :2], dim=1, keepdim=True)
        return Estimate(*_warp_both(first, second, flow), torch.sigmoid(mask), motion)

    def _coarse(self, first: Tensor, second: Tensor, time: Tensor, factor: float) -> tuple[Tensor, Tensor]:
        found: tuple[Tensor, Tensor] = self.block0(torch.cat((first, second, time), 1), None, SCALES[0] * factor)
        return found

    def _finer(
        self, number: int, warped: tuple[Tensor, Tensor], time: Tensor, mask: Tensor, flow: Tensor, factor: float
    ) -> tuple[Tensor, Tensor]:
        block = self.get_submodule(f"block{number}")
        found: tuple[Tensor, Tensor] = block(torch.cat((*warped, time, mask), 1), flow, SCALES[number] * factor)
        return found


def _resized(values: Tensor, factor: float) -> Tensor:
    if factor == 1:
        return values
    return functional.interpolate(
        values, scale_factor=factor, mode="bilinear", align_corners=False, recompute_scale_factor=False
    )


def _warp_both(first: Tensor, second: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    return _warp(first, flow[:, :2]), _warp(second, flow[:, 2:])


def _warp(frame: Tensor, flow: Tensor) -> Tensor:
    """Looks `frame` up where the flow points; beyond its border the border is repeated."""
    height, width = frame.shape[2:]
    across = torch.linspace(-1, 1, width, device=frame.device, dtype=flow.dtype)
    down = torch.linspace(-1, 1, height, device=frame.device, dtype=flow.dtype)
    place = torch.stack(torch.meshgrid(across, down, indexing="xy"), -1)
    half = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=frame.device, dtype=flow.dtype)
    grid = place + flow.permute(0, 2, 3, 1) / half
    return functional.grid_sample(frame, grid.to(frame.dtype), "bilinear", "border", align_corners=True)
