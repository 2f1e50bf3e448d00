"""Chooses how a model is laid into the memory there is, and says how many bytes each part of it takes and why.

Plans are tried from the fastest to the one that needs least. Those that change no picture come first: weights in a
smaller format are taken only where nothing else fits, or where a person asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from pathlib import Path

import torch

from engines.backend.catalogue import ModelCard
from engines.backend.memory.dry_run import Grid, decoding_bytes, denoising_bytes, step_cache_bytes
from engines.backend.memory.small_weights import BYTES_PER_VALUE, WeightFormat
from engines.backend.memory.weights import CheckpointWeights, checkpoint_weights, lora_values, minilm_values
from engines.backend.model_classes import autoencoder_dtype
from engines.backend.step_cache.kinds import StepCache
from engines.byte_sizes import spoken_bytes
from engines.errors import ResourceError

TEXT_PARTS = ("text_encoder", "text_encoder_2", "image_encoder")
TRANSFORMER_PARTS = ("transformer", "transformer_2")


class Placement(StrEnum):
    """Where parts lie while they do not compute."""

    RESIDENT = "resident"
    TEXT_RELEASED = "text encoder released"
    ONE_AT_A_TIME = "one part at a time"
    BLOCK_BY_BLOCK = "block by block"


SAYS = {
    Placement.RESIDENT: "everything stays on the device",
    Placement.TEXT_RELEASED: "the text encoder leaves once the prompts are read",
    Placement.ONE_AT_A_TIME: "only the part that computes is on the device",
    Placement.BLOCK_BY_BLOCK: "of the transformer only the block that computes is on the device",
}
STORED = {
    WeightFormat.INT8: "8 bits", WeightFormat.FP8: "8 bits (floating point)", WeightFormat.INT4: "4 bits",
}  # fmt: skip


@dataclass(frozen=True)
class JobShape:
    """What decides how much a job needs.

    Attributes:
        grid: Latent cells T', H', W'.
        branches: Rows of the guidance that are asked at once.
        step_cache: What is reused from step to step.
    """

    grid: Grid
    branches: int
    step_cache: StepCache = "off"


@dataclass(frozen=True)
class Part:
    """Bytes of one part in one phase, with the reason."""

    name: str
    size: int
    why: str


@dataclass(frozen=True)
class MemoryPlan:
    """One way to lay a model into memory.

    Attributes:
        tiled: Whether the autoencoder works in tiles.
        feed_forward_pieces: In how many pieces of tokens a block's feed-forward computes.
        phases: Name → what is on the device in it.
    """

    placement: Placement
    weights: WeightFormat
    tiled: bool
    feed_forward_pieces: int
    phases: dict[str, tuple[Part, ...]]

    @property
    def peak(self) -> int:
        return max(sum(part.size for part in parts) for parts in self.phases.values())

    def warnings(self) -> list[str]:
        """What of the plan changes the pictures."""
        if self.weights not in STORED:
            return []
        return [
            f"To fit into memory the model's weights are stored in {STORED[self.weights]}: pictures differ a little "
            "from those with whole weights."
        ]

    def sentences(self) -> list[str]:
        """For the person, the largest phase first."""
        ways = [SAYS[self.placement]]
        if self.weights in STORED:
            ways.append(f"the transformer's weights are stored in {STORED[self.weights]}")
        ways += ["the video is decoded in tiles"] if self.tiled else []
        if self.feed_forward_pieces > 1:
            ways.append(f"the feed-forward works in {self.feed_forward_pieces} pieces")
        lines = [f"{spoken_bytes(self.peak)} at most: {', '.join(ways)}."]
        for name, parts in sorted(self.phases.items(), key=lambda item: -sum(part.size for part in item[1])):
            total = sum(part.size for part in parts)
            each = [f"{part.name} {spoken_bytes(part.size)} ({part.why})" for part in parts]
            lines.append(f"{name}: {spoken_bytes(total)} = {' + '.join(each)}")
        return lines


def possible_plans(
    card: ModelCard, folder: Path, shape: JobShape, dtype: torch.dtype, weights: CheckpointWeights | None = None
) -> Iterator[MemoryPlan]:
    """Every plan for a job, from the fastest to the one that needs least.

    Args:
        folder: With the configs of the model's parts.
        weights: How large they are; None where the folder has them.
    """
    weights = weights or checkpoint_weights(folder)
    for form, placement in product(WeightFormat, Placement):
        for tiled, pieces in ((False, 1), (True, 1), (True, 4)):
            phases = _Phases(card, folder, shape, dtype, weights).of(placement, form, tiled, pieces)
            yield MemoryPlan(placement, form, tiled, pieces, phases)


def plans_within(
    card: ModelCard, folder: Path, shape: JobShape, dtype: torch.dtype, budget: int,
    weights: CheckpointWeights | None = None,
) -> list[MemoryPlan]:  # fmt: skip
    """The first plan within the budget, and after it those to go over to if memory runs out all the same.

    Args:
        budget: Bytes. The others are those of `possible_plans`.

    Raises: ResourceError that says what the smallest plan needs.
    """
    plans = list(possible_plans(card, folder, shape, dtype, weights))
    fitting = [plan for plan in plans if plan.peak <= budget]
    if not fitting:
        smallest = min(plans, key=lambda plan: plan.peak)
        raise ResourceError(
            f"{card.title} needs {spoken_bytes(smallest.peak)} for this size at the least; the memory budget is "
            f"{spoken_bytes(budget)}.",
            "Choose a smaller size, fewer frames or a smaller model, or raise the memory budget.",
            field="model",
        )
    ladder = fitting[:1]
    for plan in fitting[1:]:
        if plan.peak < ladder[-1].peak:
            ladder.append(plan)
    return ladder


@dataclass(frozen=True)
class _Phases:
    card: ModelCard
    folder: Path
    shape: JobShape
    dtype: torch.dtype
    weights: CheckpointWeights

    def of(self, placement: Placement, form: WeightFormat, tiled: bool, pieces: int) -> dict[str, tuple[Part, ...]]:
        text, autoencoder = self._text(), self._autoencoder()
        transformer = self._transformer(placement, form)
        rows = self.shape.branches
        at_once = "one branch at a time" if rows == 1 else f"{rows} branches at once"
        step = Part("a step", self._step_bytes(pieces), at_once)
        picture = Part("decoding", self._decoding_bytes(tiled), "in tiles" if tiled else "all at once")
        stays = placement in (Placement.RESIDENT, Placement.TEXT_RELEASED)
        others = (transformer, autoencoder) if stays else ()
        kept_text = (text,) if placement is Placement.RESIDENT else ()
        return {
            "reading the prompts": (text, *others, *self._loras()),
            "a step": (
                *kept_text, transformer, *self._loras(), step, *self._step_cache(), *((autoencoder,) if stays else ()),
            ),
            "decoding": (*kept_text, *((transformer,) if stays else ()), *self._loras(), autoencoder, picture),
        }  # fmt: skip

    def _loras(self) -> tuple[Part, ...]:
        values = lora_values(self.card)
        return (
            (Part("LoRA", values * self.dtype.itemsize, "beside the weights, whatever their format"),) if values else ()
        )

    def _text(self) -> Part:
        if self.card.facts.text_encoder == "minilm":
            return Part("text encoder", minilm_values() * torch.float32.itemsize, "weights")
        return Part("text encoder", self.weights.of(*TEXT_PARTS) * self.dtype.itemsize, "weights")

    def _autoencoder(self) -> Part:
        return Part("autoencoder", self.weights.of("vae") * self._autoencoder_dtype.itemsize, "weights")

    @property
    def _autoencoder_dtype(self) -> torch.dtype:
        return autoencoder_dtype(self.card.facts, self.dtype)

    def _transformer(self, placement: Placement, form: WeightFormat) -> Part:
        parts = [self.weights.parts[name] for name in TRANSFORMER_PARTS if name in self.weights.parts]
        if placement is Placement.BLOCK_BY_BLOCK:
            counts = [(part.outside + part.largest_block, part.matrices / part.total) for part in parts]
            why = "a block and what stands outside of them"
        else:
            counts = [(part.total, part.matrices / part.total) for part in parts]
            why = "weights"
        if placement in (Placement.ONE_AT_A_TIME, Placement.BLOCK_BY_BLOCK):
            counts = counts[:1]  # of two experts one speaks at a time
        total = sum(count * self._bytes_per_value(form, matrices) for count, matrices in counts)
        if form is not WeightFormat.AS_COMPUTED:
            total += max(part.largest_matrix for part in parts) * self.dtype.itemsize
            why += "; the matrix that is used is brought to the compute format"
        return Part("transformer", int(total), why)

    def _bytes_per_value(self, form: WeightFormat, matrices: float) -> float:
        whole = self.dtype.itemsize
        small = BYTES_PER_VALUE.get(form, whole)
        return matrices * small + (1 - matrices) * whole

    def _step_bytes(self, pieces: int) -> int:
        return denoising_bytes(*self._call, pieces)

    def _step_cache(self) -> tuple[Part, ...]:
        kind = self.shape.step_cache
        if kind == "off":
            return ()
        kept = step_cache_bytes(*self._call, kind, self.card.facts.mag_ratios)
        return (Part("step cache", kept, "answers that later steps reuse"),)

    @property
    def _call(self) -> tuple[str, Path, Grid, int, int, torch.dtype]:
        """What one call of the transformer is."""
        shape, text = self.shape, self.card.facts.max_text_tokens
        return self.card.family, self.folder / "transformer", shape.grid, shape.branches, text, self.dtype

    def _decoding_bytes(self, tiled: bool) -> int:
        return decoding_bytes(self.card.family, self.folder / "vae", self.shape.grid, self._autoencoder_dtype, tiled)
