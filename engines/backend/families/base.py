"""What every model family offers, and the plain data that passes between families and engines.

Shapes: latents float32 [B, C, T', H', W'], normalised by the family's own rule; tokens float32 [B, N, D] with
N = T'·H'·W' in frame-major order (t, h, w); coordinates float32 [B, 3, N]: seconds, pixel row, pixel column.
Convention: x_σ = (1 − σ)·x₀ + σ·ε, the model gives v = ε − x₀; families trained otherwise convert inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engines.backend.catalogue import Feature, ModelCard
from engines.backend.geometry import LatentGeometry
from engines.backend.step_cache.kinds import StepCache
from engines.sampling.site import Site

if TYPE_CHECKING:
    from engines.backend.attention.calls import AttentionHook
    from engines.backend.memory.plan import MemoryPlan
    from engines.backend.memory.residence import Residence

Frames = npt.NDArray[np.uint8]  # [T, H, W, 3] RGB

__all__ = ["Family", "Feature", "Frames", "LatentGeometry", "PromptEmbedding", "Tokens"]


@dataclass(frozen=True)
class Tokens:
    """Packed latents with the place of each token.

    Attributes:
        values: float32 [B, N, D].
        coordinates: float32 [B, 3, N]: time in seconds, row and column in pixels.
        grid: T', H', W' of the cells that the tokens begin with; N may be more, where a family takes further tokens.
        beside: float32 [B, N, E], further channels of each cell: what is given of the clip and where. None for models
            without, and where nothing is given.
    """

    values: Tensor
    coordinates: Tensor
    grid: tuple[int, int, int] | None = None
    beside: Tensor | None = None


@dataclass(frozen=True)
class PromptEmbedding:
    """Encoded prompts.

    Attributes:
        values: float32 [B, L, E].
        mask: float32 [B, L], 1 where a text token is real.
        unread: Per prompt the words beyond the model's limit, "" if all were read.
        glyphs, glyph_mask: [B, G, E₂] and [B, G] of the words that are to be written in the picture; HunyuanVideo only.
        picture: [B, P, E₃], what an image encoder says of a given frame; of models that have one.
    """

    values: Tensor
    mask: Tensor
    unread: tuple[str, ...] = ()
    glyphs: Tensor | None = None
    glyph_mask: Tensor | None = None
    picture: Tensor | None = None

    def moved(self, device: torch.device) -> PromptEmbedding:
        """The same on a device."""
        parts = {name: getattr(self, name) for name in ("values", "mask", "glyphs", "glyph_mask", "picture")}
        return replace(self, **{name: part.to(device) for name, part in parts.items() if part is not None})


def joined(prompts: Sequence[PromptEmbedding]) -> PromptEmbedding:
    """One batch of all rows; the prompts are of one encoder and equally long."""
    return PromptEmbedding(
        torch.cat([prompt.values for prompt in prompts]),
        torch.cat([prompt.mask for prompt in prompts]),
        glyphs=_joined([prompt.glyphs for prompt in prompts]),
        glyph_mask=_joined([prompt.glyph_mask for prompt in prompts]),
        picture=_joined([prompt.picture for prompt in prompts]),
    )


def _joined(parts: Sequence[Tensor | None]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there) if there else None


class Family(Protocol):
    """A loaded model.

    Attributes:
        card: Its catalogue entry.
        features: What it can do.
        timestep_granularity: "token" if noise levels may differ between tokens.
        revision: Hub commit, or for bundled weights the hash of the weight files.
        scheduler_config: The checkpoint's scheduler_config.json.
        channels: Latent channels C.
        device, dtype: Where and in what the transformer computes.
        transformer: diffusers' model; of two experts the one that begins.
        residence: Where its parts are kept, and which plans had to be given up.
    """

    card: ModelCard
    features: frozenset[Feature]
    timestep_granularity: Literal["token", "sample"]
    revision: str
    scheduler_config: Mapping[str, Any]
    channels: int
    device: torch.device
    dtype: torch.dtype
    transformer: Any
    residence: Residence

    def geometry(self, height: int, width: int, frames: int, fps: float) -> LatentGeometry:
        """Rounds to what the model allows, and says so. Raises InvalidRequest, LimitExceeded."""

    def prepare(
        self, geometry: LatentGeometry, branches: int, budget: int, step_cache: StepCache = "off"
    ) -> MemoryPlan:
        """Lays the model into so many bytes for a job. Raises ResourceError if no plan fits."""

    def cached(self, kind: StepCache, steps: int) -> AbstractContextManager[None]:
        """While it is entered, steps reuse what changes little. Raises InvalidRequest if the model cannot."""

    def attention(self, *hooks: AttentionHook) -> AbstractContextManager[None]:
        """While it is entered, every attention of the model goes through these hooks, the first outermost."""

    def turned(self, bare: Tensor, places: Tensor) -> Tensor:
        """Keys or queries [B, R, A, E] without positions → at places [1, 3, R]. Raises ValueError where none can be."""

    def places(self, geometry: LatentGeometry) -> Tensor:
        """Where the video's own tokens stand, in what `turned` takes, [1, 3, N]. Raises ValueError as `turned`."""

    def encode_prompt(self, prompts: Sequence[str]) -> PromptEmbedding:
        """Text to embeddings; an empty prompt is a real input."""

    def encode(self, frames: Frames) -> Tensor:
        """uint8 [T, H, W, 3] → latents [1, C, T', H', W'], deterministic (the mode)."""

    def beside(self, geometry: LatentGeometry, frames: Mapping[int, Frames]) -> Tensor:
        """Number → frame uint8 [H, W, 3] that is given, as channels beside the latents, float32 [1, N, E].

        Raises: ValueError for models that take none, or not these frames.
        """

    def with_picture(self, prompt: PromptEmbedding, picture: Frames) -> PromptEmbedding:
        """The prompt beside what the model's image encoder says of uint8 [H, W, 3]; the same where it has none."""

    def decode(self, latents: Tensor) -> Iterator[Frames]:
        """Latents [1, C, T', H', W'] → uint8 chunks [t, H, W, 3] in order."""

    def preview(self, latents: Tensor) -> Frames:
        """A cheap linear look at latents [1, C, T', H', W'] → uint8 [t, h, w, 3], at most the size of the video."""

    def pack(self, latents: Tensor, geometry: LatentGeometry) -> Tokens:
        """Latents → tokens with coordinates."""

    def unpack(self, values: Tensor, geometry: LatentGeometry) -> Tensor:
        """Token values [B, N, D] → latents [B, C, T', H', W']."""

    def coordinates(self, geometry: LatentGeometry) -> Tensor:
        """Where each token begins: seconds, pixel row, pixel column; float32 [1, 3, N]."""

    def velocity(self, tokens: Tokens, sigmas: Tensor, prompt: PromptEmbedding, at: Site) -> Tensor:
        """v float32 [B, N, D] at sigmas [B, N]."""
