"""What every way of editing is given and gives back.

Shape legend: tokens float32 [1, N, D]; schedules float32 [steps + 1, N].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engines.backend.families.base import Family, PromptEmbedding
from engines.backend.families.guided import guided_velocity
from engines.backend.geometry import LatentGeometry
from engines.inversion.invert import with_first_level
from engines.inversion.solvers import InversionSolver
from engines.sampling.guidance import ClassifierFree, Guidance, GuidedVelocity, Unguided
from engines.sampling.loop import Step, Velocity
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.one_level import at_one_level
from engines.sampling.schedules import make_schedule, uniform

OnStep = Callable[[Step], None]


@dataclass(frozen=True)
class Words:
    """The prompts, encoded: what the clip shows, what it shall show, and nothing."""

    source: PromptEmbedding
    target: PromptEmbedding
    empty: PromptEmbedding


@dataclass(frozen=True)
class How:
    """What a person chooses.

    Attributes:
        steps: Of the whole schedule, there and back each.
        strength: Share of the schedule that is gone up, above 0 … 1: at 1 only noise is left of the clip.
        guidance_scale: On the way down; the way up has none.
        solver: Of methods that invert.
        first_level: Of noise that the clip is given before it is inverted; see engines.inversion.
        shared_steps: RF-Edit: how many of the noisiest steps see the source's values again.
        hold: Of value sharing: how firmly what both prompts agree on is held to the clip, 0 … 1; at 0 not at all, and
            the new prompt is followed everywhere.
        seed: Of methods that draw noise.
    """

    steps: int = 24
    strength: float = 1.0
    guidance_scale: float = 4.0
    solver: InversionSolver = "fireflow"
    first_level: float = 0.1
    shared_steps: int = 3
    hold: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Held:
    """What of the result is known before: the end of the chunk before.

    Attributes:
        tokens: bool [N].
        values: float32 [1, N, D], anything where a token is not held.
    """

    tokens: Tensor
    values: Tensor


@dataclass(frozen=True)
class ClipEdit:
    """One clip to edit.

    Attributes:
        clean: The clip's own tokens.
        coordinates: [1, 3, N] of a chunk in its film; None for a clip of its own.
        held: Stands still while the rest is sampled, so that it goes on from there.
        going_up, going_down: Called after every step of either way; what they raise ends the edit.
    """

    family: Family
    geometry: LatentGeometry
    clean: Tensor
    words: Words
    how: How
    coordinates: Tensor | None = None
    held: Held | None = None
    going_up: OnStep | None = None
    going_down: OnStep | None = None

    @property
    def sigmas(self) -> Tensor:
        """The falling schedule from the highest level that is reached, [steps + 1, N], on the CPU."""
        levels = make_schedule("model", self.how.steps, self.geometry.tokens, dict(self.family.scheduler_config))
        left = max(1, round(self.how.strength * self.how.steps))
        return uniform(levels[-left - 1 :], self.geometry.tokens)

    @property
    def inverted_sigmas(self) -> Tensor:
        """The same for an inversion: the last step is from the first level, up to which the clip is noised."""
        return with_first_level(self.sigmas, self.how.first_level) if self.how.first_level else self.sigmas

    @property
    def first_noise(self) -> Tensor | None:
        """What an inversion begins with."""
        return self.noise(INITIAL) if self.how.first_level else None

    @property
    def noise(self) -> SeededNoise:
        return SeededNoise(self.how.seed, tuple(self.clean.shape), self.family.device)

    def velocity(self, prompt: PromptEmbedding, guidance_scale: float = 1.0) -> GuidedVelocity[PromptEmbedding]:
        """The model's under one prompt."""
        if guidance_scale == 1:
            return self.guided(Unguided(prompt))
        return self.guided(ClassifierFree(prompt, self.words.empty, guidance_scale))

    def guided(self, guidance: Guidance[PromptEmbedding]) -> GuidedVelocity[PromptEmbedding]:
        """The model's under a guidance."""
        return guided_velocity(self.family, self.geometry, guidance, self.coordinates)

    def steered(self, velocity: Velocity) -> Velocity:
        """For the way down: a model that takes one level per clip is shown what is held at that level."""
        if self.held is None or self.family.timestep_granularity == "token":
            return velocity
        return at_one_level(velocity, self.noise(INITIAL))

    def going_on(self, start: Tensor, sigmas: Tensor) -> tuple[Tensor, Tensor]:
        """Where the way down begins and how it falls, with what is held in its place and at 0."""
        if self.held is None:
            return start, sigmas
        known = self.held.tokens.to(start.device)
        levels = torch.where(self.held.tokens.to(sigmas.device), torch.zeros_like(sigmas), sigmas)
        return torch.where(known[:, None], self.held.values.to(start), start), levels


@dataclass(frozen=True)
class Edited:
    """What came of it.

    Attributes:
        tokens: Of the edited clip.
        evaluations: Model calls, guidance included.
        top: What an inversion led to; None for methods without.
        measurements: Further numbers of the method.
    """

    tokens: Tensor
    evaluations: int
    top: Tensor | None = None
    measurements: dict[str, float] = field(default_factory=dict)
