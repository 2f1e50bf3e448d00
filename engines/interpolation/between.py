"""One picture between two: flow where it explains the motion, a mix where it does not.

Shape legend: h rows, w columns; tensors are float32 [1, 3, h, w], 0 … 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engines.footage.footage import Frame
from engines.interpolation.network import Estimate, FlowNetwork
from engines.interpolation.timeline import Moment

# The network halves its input two times at the coarsest of its scales, and that may double on the way.
MULTIPLE = 128
# Longest side that is looked at whole; twice as long, flow is sought at half the resolution. Smaller than it was
# trained on, things are too small for its coarsest scale: looked at twice as large they are found (measured: 2 dB).
WHOLE_SIDE, SMALL_SIDE = 1440, 256
# Measured on 14 clips with every second frame held back (docs/LOG.md), values 0 … 1.
DISAGREEMENT = 32 / 255
REST = 1 / 255
FAST_SHARE = 0.08  # of the shorter side, from one frame to the next
SMALL_MOTION = 0.75  # pixels; from twice as much on, flow decides
_BLUR = 9


@dataclass(frozen=True)
class Between:
    """A frame that was made.

    Attributes:
        frame: In the type of the frames around it.
        is_fast: Whether something moves so far that two frames may not tell its way.
    """

    frame: Frame
    is_fast: bool


@torch.inference_mode()
def between(network: FlowNetwork, moment: Moment, confident: bool) -> Between:
    """The frame at a moment, by flow.

    Args:
        confident: Whether the network's picture gives way to a mix where flow explains nothing.
    """
    height, width = moment.first.shape[:2]
    share, coarser = float(moment.share), coarseness(height, width)
    device = next(network.parameters()).device
    first, second = (
        _as_tensor(frame, max(64, int(MULTIPLE * coarser))).to(device) for frame in (moment.first, moment.second)
    )
    estimate = network(first, second, share, coarser)
    picture = mixed(estimate, first, second, share) if confident else estimate.merged
    peak = np.iinfo(moment.first.dtype).max
    values = (picture[0, :, :height, :width].permute(1, 2, 0).clamp(0, 1) * peak).round().cpu().numpy()
    made: Frame = np.asarray(values, moment.first.dtype)  # type: ignore[assignment]
    moved = estimate.motion[:, :, :height, :width].flatten()
    # Of the fastest hundredth of the pixels: a thing, not a stray vector.
    fastest = float(moved.kthvalue(max(1, int(0.99 * moved.numel()))).values)
    return Between(made, fastest > FAST_SHARE * min(height, width))


def mixed(estimate: Estimate, first: Tensor, second: Tensor, share: float) -> Tensor:
    """The network's picture only where it has to choose, a mean of the warped frames elsewhere, a mix where all rests.

    Both frames carry noise of their own, and the network's mask takes mostly one of them: where they agree once they
    are warped, their mean is nearer to the truth. Where they differ, something is hidden in one of them, and the mask
    knows in which. Where the frames did not differ to begin with, warping them only blurs.
    """
    apart, filmed = _local(estimate.first - estimate.second), _local(first - second)
    hidden = apart / (apart + DISAGREEMENT**2)
    mean = estimate.first * (1 - share) + estimate.second * share
    flowed = hidden * estimate.merged + (1 - hidden) * mean
    # A thing that moves by less than a pixel or so is blended without a ghost; looked up between pixels it is blurred.
    resting = torch.maximum(torch.exp(-filmed / REST**2), (2 - estimate.motion / SMALL_MOTION).clamp(0, 1))
    return resting * (first * (1 - share) + second * share) + (1 - resting) * flowed


def coarseness(height: int, width: int) -> float:
    """Factor on the network's scales for frames of this size: 0.5, 1, 2 or 4."""
    factor = 0.5 if max(height, width) <= SMALL_SIDE else 1.0
    while max(height, width) > WHOLE_SIDE * factor and factor < 4:
        factor *= 2
    return factor


def _local(difference: Tensor) -> Tensor:
    """Mean square over channels and a neighbourhood: [1, 1, h, w]."""
    return functional.avg_pool2d(difference.square().mean(1, keepdim=True), _BLUR, 1, _BLUR // 2)


def _as_tensor(frame: Frame, multiple: int) -> Tensor:
    """[1, 3, h, w], padded to multiples by repeating the border."""
    values = torch.from_numpy(frame.astype(np.float32) / np.iinfo(frame.dtype).max).permute(2, 0, 1)[None]
    height, width = frame.shape[:2]
    return functional.pad(values, (0, -width % multiple, 0, -height % multiple), mode="replicate")
