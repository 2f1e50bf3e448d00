"""The judge's network: a picture encoder for each frame; what happens is read from the track of what is seen.

Cells that show the first and the second thing are told apart, and one classifier names both: so what single things
teach serves for two. Everything else is asked by queries.

Shape legend: B batch, T = 9 frames (every second of 17), C features on 6 × 6 cells, D width of the queries' mixing,
Q heads that read what is seen, F features, E values of an embedding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as functional
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

FRAMES, CELLS, FINE_CELLS = 9, 6, 12
MOVING = ("motion", "action")  # heads that read how something moves, from where it is in each frame
MOMENTS = 3  # the queries see the frames as averages of three
WHOSE = ("nobody's", "the first's", "the second's")


@dataclass(frozen=True)
class Owners:
    """Which of WHOSE each cell is: of three moments [B, 3, 36, …], and of the middle frame's finer cells [B, 144, …].

    Logits with a last axis of 3, or the numbers themselves without one.
    """

    cells: torch.Tensor
    fine: torch.Tensor


@dataclass(frozen=True)
class Reading:
    """Logits of every head, [B, words], the penultimate features [B, F], and whose each cell is, as logits."""

    logits: Mapping[str, torch.Tensor]
    features: torch.Tensor
    whose: Owners


def _halving(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _pooled(cells: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """What of the cells [B, N, C] is somebody's, averaged and at its strongest; share [B, N] → [B, 2·C]."""
    own = cells * share[..., None]
    return torch.cat([own.mean(1), own.amax(1)], dim=1)


class ClipJudge(ModelMixin, ConfigMixin):
    """Reads 9 frames of 96 × 96.

    Args:
        widths: Channels of the four halving stages.
        mixing_width, mixing_layers: Of the queries' attention over cells and moments.
        temporal_width: Channels of the temporal mixing.
        identity_width: Values of an embedding.
        heads: (head, its words in the order of the logits) each. A list, for a saved configuration sorts the keys of
            mappings, and queries belong to heads by their order.
    """

    @register_to_config
    def __init__(
        self,
        widths: Sequence[int] = (24, 48, 96, 160),
        mixing_width: int = 128,
        mixing_layers: int = 2,
        temporal_width: int = 64,
        identity_width: int = 64,
        heads: Sequence[tuple[str, Sequence[str]]] = (),
    ) -> None:
        super().__init__()
        self.words = {head: tuple(words) for head, words in heads}
        last = widths[-1]
        sizes = (3, *widths)
        self.stages = nn.Sequential(
            *[_halving(a, b, 5 if index == 0 else 3) for index, (a, b) in enumerate(pairwise(sizes))]
        )
        # Patterns of clothes are read at a quarter of the resolution; adds nothing before it has learnt something.
        scaled = nn.BatchNorm2d(widths[1])
        nn.init.zeros_(scaled.weight)
        self.refine = nn.Sequential(nn.Conv2d(widths[1], widths[1], 3, padding=1, bias=False), scaled)
        self.squeeze = nn.Conv2d(last + 2, 24, 1)
        self.time = nn.Sequential(
            nn.Conv1d(24 * CELLS**2, temporal_width, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv1d(temporal_width, temporal_width, 3, padding=1), nn.ReLU(inplace=True),
        )  # fmt: skip
        nouns = len(self.words.get("noun", ())) + 1
        self.cells = nn.Conv2d(last, nouns, 1)
        self.enter = nn.Linear(last + nouns, mixing_width)
        self.places = nn.Parameter(torch.randn(MOMENTS, CELLS**2, mixing_width) * 0.02)
        self.enter_fine = nn.Linear(widths[-2], mixing_width)
        self.fine_places = nn.Parameter(torch.randn(FINE_CELLS**2, mixing_width) * 0.02)
        self.still = [head for head in self.words if head not in (*MOVING, "noun")]
        self.queries = nn.Parameter(torch.randn(len(self.still), mixing_width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            mixing_width, 4, 2 * mixing_width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.mixing = nn.TransformerEncoder(layer, mixing_layers, enable_nested_tensor=False)
        self.whose = nn.Linear(mixing_width, len(WHOSE))
        self.names = nn.Linear(2 * last, nouns - 1)
        # Small things in front of larger ones share the coarse cells with them.
        self.fine_names = nn.Linear(2 * widths[-2], nouns - 1, bias=False)
        nn.init.zeros_(self.fine_names.weight)
        # What a thing in front leaves of another is named by cells that saw each other.
        self.names_in_context = nn.Linear(4 * mixing_width, nouns - 1, bias=False)
        nn.init.zeros_(self.names_in_context.weight)
        sizes_of = {head: len(words) for head, words in self.words.items() if head != "noun"}
        if "second" in sizes_of:
            sizes_of["second"] = 1  # whether there is none; its name comes from the first one's names
        self.answers = nn.ModuleDict(
            {
                head: nn.Linear(temporal_width * FRAMES if head in MOVING else mixing_width + 2 * last, size)
                for head, size in sizes_of.items()
            }
        )
        self.identity = nn.Linear(last * 2, identity_width)

    def forward(self, frames: torch.Tensor) -> Reading:
        """frames [B, 9, 3, 96, 96] in −1 … 1."""
        fine, maps = (part.unflatten(0, frames.shape[:2]) for part in self.maps(frames.flatten(0, 1)))
        return self.read_maps(fine, maps)

    def maps(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[N, 3, 96, 96] → [N, C', 12, 12] and [N, C, 6, 6]."""
        quarter = self.stages[:2](pictures.contiguous(memory_format=torch.channels_last))
        fine = self.stages[2](quarter + self.refine(quarter))
        return fine, self.stages[3](fine)

    def read_maps(self, fine: torch.Tensor, maps: torch.Tensor, whose: Owners | None = None) -> Reading:
        """fine [B, 9, C', 12, 12], maps [B, 9, C, 6, 6].

        Args:
            whose: Whose each cell is, as numbers, where that is known (training).
        """
        moved = self._track(maps)
        moments = maps.unflatten(1, (MOMENTS, -1)).mean(2).flatten(3).transpose(2, 3).flatten(1, 2)
        middle = fine[:, FRAMES // 2]
        seen, context, belongs = self._asked(middle, maps)
        shares = [part.softmax(-1) for part in (belongs.cells.flatten(1, 2), belongs.fine)]
        if whose is not None:
            shares = [
                functional.one_hot(part.flatten(1), len(WHOSE)).to(maps.dtype) for part in (whose.cells, whose.fine)
            ]
        close = middle.flatten(2).transpose(1, 2)
        first, second = (
            self.names(_pooled(moments, shares[0][..., which]))
            + self.fine_names(_pooled(close, shares[1][..., which]))
            + self.names_in_context(
                torch.cat([_pooled(part, share[..., which]) for part, share in zip(context, shares, strict=True)], 1)
            )
            for which in (1, 2)
        )
        # Beside its own query every head sees the whole, averaged and at its strongest.
        whole = torch.cat([maps.mean((1, 3, 4)), maps.amax((3, 4)).mean(1)], dim=1)
        logits = {
            head: self.answers[head](torch.cat([seen[:, index], whole], dim=1)) for index, head in enumerate(self.still)
        }
        logits |= {head: self.answers[head](moved) for head in self.answers if head in MOVING}
        logits["noun"] = first
        if "second" in logits:
            logits["second"] = torch.cat([second[:, : len(self.words["second"]) - 1], logits["second"]], dim=1)
        ordered = {head: logits[head] for head in self.words}
        return Reading(ordered, torch.cat([whole, moved], dim=1), belongs)

    def _asked(
        self, fine: torch.Tensor, maps: torch.Tensor
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor], Owners]:
        """What each query finds among the cells of three moments and, finer, of the middle frame, [B, Q, D]; these
        cells once they saw each other, [B, 108, D] and [B, 144, D]; and whose they are then.

        With what covers a cell goes which noun that is: a query has but to look at the right place.
        """
        nouns = self.nouns_of_cells(maps.flatten(0, 1)).softmax(1).unflatten(0, maps.shape[:2])
        cells = torch.cat([maps, nouns.to(maps.dtype)], dim=2).unflatten(1, (MOMENTS, -1)).mean(2)
        coarse = (self.enter(cells.flatten(3).transpose(2, 3)) + self.places).flatten(1, 2)
        close = self.enter_fine(fine.flatten(2).transpose(1, 2)) + self.fine_places
        queries = self.queries.expand(len(maps), -1, -1).to(coarse.dtype)
        mixed: torch.Tensor = self.mixing(torch.cat([queries, coarse, close], dim=1))
        asked, of_cells, of_fine = mixed.split([len(self.still), coarse.shape[1], close.shape[1]], dim=1)
        belongs = Owners(self.whose(of_cells).unflatten(1, (MOMENTS, -1)), self.whose(of_fine))
        return asked, (of_cells, of_fine), belongs

    def _track(self, maps: torch.Tensor) -> torch.Tensor:
        """What stands where in each frame, mixed over time, [B, temporal_width · 9]."""
        batch, steps = maps.shape[:2]
        centre = torch.linspace(-1, 1, CELLS).to(maps)
        position = torch.stack(torch.meshgrid(centre, centre, indexing="ij"))[None].expand(batch * steps, -1, -1, -1)
        cells = self.squeeze(torch.cat([maps.flatten(0, 1), position], dim=1)).flatten(1).unflatten(0, (batch, steps))
        moved: torch.Tensor = self.time(cells.transpose(1, 2)).flatten(1)
        return moved

    def nouns_of_cells(self, maps: torch.Tensor) -> torch.Tensor:
        """Logits of what covers each cell, the last one for nothing. [N, C, 6, 6] → [N, nouns + 1, 6, 6]."""
        logits: torch.Tensor = self.cells(maps)
        return logits

    def embed(self, maps: torch.Tensor) -> torch.Tensor:
        """Who it is, from maps [N, C, 6, 6] of an object alone on grey: [N, E] of length 1."""
        pooled = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)
        return functional.normalize(self.identity(pooled).float(), dim=1)


def pick_frames(frames: Any) -> Any:
    """9 of the frames, evenly over the clip. [T, …] → [9, …]; a shorter clip repeats frames."""
    count = len(frames)
    return frames[[round(index * (count - 1) / (FRAMES - 1)) for index in range(FRAMES)]]
