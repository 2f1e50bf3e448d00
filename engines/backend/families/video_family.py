"""What all families do alike: geometry, prompts, latents, tokens and where they stand. Only the velocity is their own.

Shapes: latents float32 [B, C, T', H', W']; tokens float32 [B, N, C], one for each latent cell, in order (t, h, w);
coordinates float32 [B, 3, N]: seconds, pixel row, pixel column.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

from engines.backend.attention.calls import AttentionHook
from engines.backend.attention.hooking import hooked
from engines.backend.attention.watch import Watch
from engines.backend.catalogue import Feature
from engines.backend.compiled_blocks import compiled, wanted_compiler, why_not_compiled
from engines.backend.families.base import Frames, PromptEmbedding, Tokens
from engines.backend.families.checkpoint import Checkpoint
from engines.backend.families.latent_codec import LatentCodec
from engines.backend.geometry import LatentGeometry, plan_geometry
from engines.backend.memory.plan import JobShape, MemoryPlan, plans_within
from engines.backend.memory.residence import PartName
from engines.backend.step_cache.caching import at_site, caching
from engines.backend.step_cache.kinds import StepCache, refuse
from engines.sampling.site import Site

TIMESTEP_SCALE = 1000.0  # timestep of σ = 1 in every family that was trained on the flow itself


class VideoFamily(ABC):
    """See engines.backend.families.base.Family; a family adds `_velocity`.

    Args:
        checkpoint: The loaded parts.
        codec: Its autoencoder with statistics.
    """

    def __init__(self, checkpoint: Checkpoint, codec: LatentCodec) -> None:
        self.card = checkpoint.card
        self.features: frozenset[Feature] = self.card.features
        self.timestep_granularity: Literal["token", "sample"] = self.card.facts.timestep_granularity
        self.scheduler_config = checkpoint.scheduler_config
        self.revision = checkpoint.revision
        self.transformer = checkpoint.transformer.eval()
        self.codec = codec
        self.text_encoder = checkpoint.text_encoder
        self.image_encoder = checkpoint.image_encoder
        self.residence = checkpoint.residence
        self._watch: Watch | None = None
        self.folder = checkpoint.folder
        self.channels = int(self.transformer.config.out_channels or self.transformer.config.in_channels)
        self.device: torch.device = self.transformer.device
        self.dtype: torch.dtype = self.transformer.dtype

    @property
    def channels_beside(self) -> int:
        """How many further channels the transformer takes beside the latents' own."""
        return int(self.transformer.config.in_channels) - self.channels

    @property
    def autoencoder(self) -> Any:
        return self.codec.autoencoder

    def geometry(self, height: int, width: int, frames: int, fps: float) -> LatentGeometry:
        return plan_geometry(self.card, height, width, frames, fps)

    def prepare(
        self, geometry: LatentGeometry, branches: int, budget: int, step_cache: StepCache = "off"
    ) -> MemoryPlan:
        """Lays the model into a memory budget for a job, before it begins.

        Args:
            branches: Rows of the guidance that are asked at once.
            budget: Bytes.
            step_cache: What it keeps from step to step takes memory too.

        Raises: ResourceError if no plan fits.
        """
        shape = JobShape(geometry.grid, branches, step_cache)
        plans = plans_within(self.card, self.folder, shape, self.dtype, budget)
        self.residence.follow(plans)
        return plans[0]

    def encode_prompt(self, prompts: Sequence[str]) -> PromptEmbedding:
        return self.residence.run("text_encoder", lambda: self.text_encoder.get().encode(prompts).moved(self.device))

    def encode(self, frames: Frames) -> Tensor:
        return self.residence.run("autoencoder", lambda: self.codec.encode(frames))

    def beside(self, geometry: LatentGeometry, frames: Mapping[int, Frames]) -> Tensor:
        """See Family. A family whose model takes channels beside the latents says how."""
        raise ValueError(f"{self.card.id} takes no frames as channels beside the latents")

    def with_picture(self, prompt: PromptEmbedding, picture: Frames) -> PromptEmbedding:
        """See Family."""
        encoder = self.image_encoder
        if encoder is None:
            return prompt
        said = self.residence.run("image_encoder", lambda: encoder.get().encode(picture)).to(self.device)
        return replace(prompt, picture=said.expand(len(prompt.values), -1, -1))

    def decode(self, latents: Tensor) -> Iterator[Frames]:
        """All frames in one chunk."""
        yield self.residence.run("autoencoder", lambda: self.codec.decode(latents))

    def preview(self, latents: Tensor) -> Frames:
        return self.residence.run("autoencoder", lambda: self.codec.preview(latents), alone=False)

    def pack(self, latents: Tensor, geometry: LatentGeometry) -> Tokens:
        values = from_grid(latents)
        places = self.coordinates(geometry).to(values.device).expand(len(values), -1, -1)
        return Tokens(values, places, geometry.grid)

    def unpack(self, values: Tensor, geometry: LatentGeometry) -> Tensor:
        return to_grid(values, geometry.grid)

    def coordinates(self, geometry: LatentGeometry) -> Tensor:
        """Where each token begins: seconds, pixel row, pixel column; float32 [1, 3, N]."""
        facts = self.card.facts
        frame = torch.arange(geometry.latent_frames, dtype=torch.float32) * facts.temporal_compression
        if facts.slot_start == "causal":
            frame = (frame + 1 - facts.temporal_compression).clamp(min=0)
        rows = torch.arange(geometry.latent_height, dtype=torch.float32) * facts.spatial_compression
        columns = torch.arange(geometry.latent_width, dtype=torch.float32) * facts.spatial_compression
        grid = torch.meshgrid(frame / geometry.fps, rows, columns, indexing="ij")
        return torch.stack(grid).flatten(1).unsqueeze(0)

    @torch.inference_mode()
    def velocity(self, tokens: Tokens, sigmas: Tensor, prompt: PromptEmbedding, at: Site) -> Tensor:
        """v float32 [B, N, C].

        Raises: ValueError for levels that differ between tokens if the checkpoint was not trained for that.
        """
        self.refuse_token_levels(sigmas)
        name = self._speaking(sigmas)

        def ask() -> Tensor:
            with at_site(self._transformers[name], at), self._attention_at(tokens, at):
                return self._velocity(tokens, sigmas, prompt)

        return self.residence.run(name, ask)

    @contextmanager
    def cached(self, kind: StepCache, steps: int) -> Iterator[None]:
        """While it is entered, steps reuse what changes little, and blocks run compiled where the machine is set so.

        Args:
            steps: Of the job.

        Raises: InvalidRequest if the model cannot be rendered with this cache.
        """
        refuse(kind, self.card)
        compiler, plan = wanted_compiler(), self.residence.plan
        if compiler and plan and (said := why_not_compiled(plan)):
            compiler = None
            self.residence.changes.append(said)
        with compiled(self.speakers, compiler), caching(self.speakers, kind, steps, self.card.facts.mag_ratios):
            yield

    @contextmanager
    def attention(self, *hooks: AttentionHook) -> Iterator[None]:
        """While it is entered, every attention of the model goes through these hooks, the first outermost."""
        before, self._watch = self._watch, Watch(hooks)
        try:
            with hooked(self.card.family, self.speakers, self._watch):
                yield
        finally:
            self._watch = before

    def turned(self, bare: Tensor, places: Tensor) -> Tensor:
        """Keys or queries [B, R, A, E] without positions → at places [1, 3, R] of one's own choice.

        Raises: ValueError for families whose keys cannot be placed.
        """
        raise ValueError(f"keys of {self.card.family} cannot be placed freely")

    def places(self, geometry: LatentGeometry) -> Tensor:
        """Where the video's own tokens stand, in what `turned` takes, [1, 3, N].

        Raises: ValueError for families whose keys cannot be placed.
        """
        raise ValueError(f"keys of {self.card.family} cannot be placed freely")

    def _attention_at(self, tokens: Tokens, at: Site) -> AbstractContextManager[None]:
        if self._watch is None or tokens.grid is None:
            return nullcontext()
        return self._watch.calling(at, self._patches(tokens.grid))

    def _patches(self, grid: tuple[int, int, int]) -> tuple[int, int, int]:
        """T', H', W' of what the transformer sees of so many latent cells."""
        size = self.transformer.config.patch_size
        if not isinstance(size, int):
            return tuple(-(-cells // patch) for cells, patch in zip(grid, size, strict=True))
        time = getattr(self.transformer.config, "patch_size_t", None) or 1
        return -(-grid[0] // time), grid[1] // size, grid[2] // size

    @property
    def speakers(self) -> list[Any]:
        """All transformers that answer for the model: one, or two experts."""
        return list(self._transformers.values())

    @property
    def _transformers(self) -> dict[PartName, Any]:
        """All that can speak."""
        return {"transformer": self.transformer}

    @abstractmethod
    def _velocity(self, tokens: Tokens, sigmas: Tensor, prompt: PromptEmbedding) -> Tensor:
        """The family's own."""

    def _speaking(self, sigmas: Tensor) -> PartName:
        """Which transformer is asked at these levels."""
        return "transformer"

    def refuse_token_levels(self, sigmas: Tensor) -> None:
        """Raises ValueError for levels that differ between tokens if the checkpoint was not trained for that."""
        if self.timestep_granularity == "sample" and not is_uniform(sigmas):
            raise ValueError(f"{self.card.id} takes one noise level per sample, not per token")


def is_uniform(sigmas: Tensor) -> bool:
    """Whether all tokens of a sample stand at one level. sigmas [B, N]."""
    return bool((sigmas == sigmas[:, :1]).all())


def to_grid(values: Tensor, grid: tuple[int, int, int]) -> Tensor:
    """Token values [B, N, C] → latents [B, C, T', H', W']."""
    latents: Tensor = values.transpose(1, 2).unflatten(2, grid)
    return latents


def from_grid(latents: Tensor) -> Tensor:
    """The inverse of `to_grid`."""
    return latents.flatten(2).transpose(1, 2)


def beside_of(tokens: Tokens, channels: int, model: str) -> Tensor:
    """What is given beside the latents, [B, E, T', H', W'] with E = channels; zeros where nothing is.

    Raises: ValueError if it has another number of channels.
    """
    grid = grid_of(tokens)
    if tokens.beside is None:
        return tokens.values.new_zeros(len(tokens.values), channels, *grid)
    if tokens.beside.shape[-1] != channels:
        raise ValueError(f"{model} takes {channels} channels beside its latents, not {tokens.beside.shape[-1]}")
    return to_grid(tokens.beside.to(tokens.values), grid)


def grid_of(tokens: Tokens) -> tuple[int, int, int]:
    """T', H', W'. Raises ValueError for tokens beyond a grid, which only some families can be given."""
    if tokens.grid is None or tokens.values.shape[1] != tokens.grid[0] * tokens.grid[1] * tokens.grid[2]:
        raise ValueError(f"{tokens.values.shape[1]} tokens do not fill a grid {tokens.grid}")
    return tokens.grid
