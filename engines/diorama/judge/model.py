"""The judge's network: a picture encoder for each frame, mixed over time, with a head for noun, motion and scene.

Shape legend: B batch, T = 9 frames (every second of 17), features 6 × 6 cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

FRAMES = 9


@dataclass(frozen=True)
class Reading:
    """Logits [B, classes] of the three heads and the penultimate features [B, F]."""

    noun: torch.Tensor
    motion: torch.Tensor
    scene: torch.Tensor
    features: torch.Tensor


def _stage(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class ClipJudge(ModelMixin, ConfigMixin):
    """Reads 9 frames of 96 × 96.

    Args:
        widths: Channels of the four halving stages.
        temporal_width: Channels of the temporal mixing.
        nouns, motions, scenes: Class names in the order of the logits.
    """

    @register_to_config
    def __init__(
        self,
        widths: tuple[int, ...] = (24, 48, 96, 160),
        temporal_width: int = 64,
        nouns: tuple[str, ...] = (),
        motions: tuple[str, ...] = (),
        scenes: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        sizes = (3, *widths)
        self.stages = nn.Sequential(
            *[_stage(a, b, 5 if index == 0 else 3) for index, (a, b) in enumerate(pairwise(sizes))]
        )
        self.noun = nn.Linear(widths[-1] * 2, len(nouns))
        self.scene = nn.Linear(widths[-1], len(scenes))
        self.squeeze = nn.Conv2d(widths[-1] + 2, 24, 1)
        self.time = nn.Sequential(
            nn.Conv1d(24 * 36, temporal_width, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv1d(temporal_width, temporal_width, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.motion = nn.Linear(temporal_width * FRAMES, len(motions))

    def forward(self, frames: torch.Tensor) -> Reading:
        """frames [B, 9, 3, 96, 96] in −1 … 1."""
        batch, steps = frames.shape[:2]
        maps = self.stages(frames.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        per_frame = maps.unflatten(0, (batch, steps))
        average = per_frame.mean((1, 3, 4))
        strongest = per_frame.amax((3, 4)).mean(1)
        features = torch.cat([average, strongest], dim=1)
        centre = torch.linspace(-1, 1, 6).to(maps)
        position = torch.stack(torch.meshgrid(centre, centre, indexing="ij"))[None].expand(batch * steps, -1, -1, -1)
        cells = self.squeeze(torch.cat([maps, position], dim=1)).flatten(1).unflatten(0, (batch, steps))
        moved = self.time(cells.transpose(1, 2)).flatten(1)
        return Reading(self.noun(features), self.motion(moved), self.scene(average), torch.cat([features, moved], 1))


def pick_frames(frames: Any) -> Any:
    """9 of the frames, evenly over the clip. [T, …] → [9, …]; a shorter clip repeats frames."""
    count = len(frames)
    return frames[[round(index * (count - 1) / (FRAMES - 1)) for index in range(FRAMES)]]
