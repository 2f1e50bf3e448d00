"""A linear look at latents: one RGB colour per latent cell.

Shapes: latents float32 [1, C, T', H', W']; colours uint8 [T', h, w, 3]. Used for families whose decoder has no cheap
linear path of its own. The map is fitted once to the decoder, on latents as the model makes them (unit variance).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engines.sampling.noise import gaussian_noise


@dataclass(frozen=True)
class LinearPreview:
    """Colour of a cell = latent channels · weights + bias.

    Attributes:
        weights: float32 [C, 3].
        bias: float32 [3].
    """

    weights: Tensor
    bias: Tensor

    def __call__(self, latents: Tensor, height: int, width: int) -> npt.NDArray[np.uint8]:
        """Latents [1, C, T', H', W'] → uint8 [T', height, width, 3], enlarged smoothly."""
        colours = torch.einsum("cthw,cr->trhw", latents[0].float(), self.weights) + self.bias[:, None, None]
        colours = torch.nn.functional.interpolate(colours, size=(height, width), mode="bilinear", align_corners=False)
        return to_uint8(colours.permute(0, 2, 3, 1))


def to_uint8(frames: Tensor) -> npt.NDArray[np.uint8]:
    """Values −1 … 1 of any shape → uint8 0 … 255, rounded and clipped."""
    result: npt.NDArray[np.uint8] = as_bytes(frames).cpu().numpy()
    return result


def as_bytes(frames: Tensor) -> Tensor:
    """The same, still on its device."""
    return frames.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


@torch.inference_mode()
def fit_linear_preview(decode: Callable[[Tensor], Tensor], channels: int, device: torch.device) -> LinearPreview:
    """Least squares between latents and the decoder's mean colour per cell and slot.

    Args:
        decode: Latents [1, C, T', H', W'] → pixels [1, 3, T, H, W] in −1 … 1.
        channels: C.
        device: Where decode computes.

    Smooth random latents are used, because white noise is unlike anything that a decoder was trained on. The ridge of
    1e-3 keeps channels that the sample barely moves at zero.
    """
    slots, side = 2, max(6, int((4 * channels / 2) ** 0.5))
    coarse = gaussian_noise((1, channels, slots, (side + 1) // 2, (side + 1) // 2), seed=0)
    latents = torch.nn.functional.interpolate(coarse, size=(slots, side, side), mode="trilinear").to(device)
    latents = latents / latents.std()
    pixels = decode(latents).float()
    # The first slot of these video autoencoders is one frame, so slots are compared by time, not by equal parts.
    first, rest = pixels[:, :, :1], pixels[:, :, 1:]
    per_slot = torch.cat([first, rest.mean(2, keepdim=True)], dim=2)
    colours = torch.nn.functional.adaptive_avg_pool3d(per_slot, (slots, side, side))
    inputs = latents[0].flatten(1).T.cpu()
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1)
    gram = inputs.T @ inputs + 1e-3 * len(inputs) * torch.eye(channels + 1)
    solution = torch.linalg.solve(gram, inputs.T @ colours[0].flatten(1).T.cpu())
    return LinearPreview(solution[:-1].to(device), solution[-1].to(device))
