"""Noisy training batches for rectified flow: x_σ = (1 − σ)·x₀ + σ·ε, target v = ε − x₀, σ per token.

One batch holds one shape and one pattern of what is given (engines.conditioning.given): text to video, first, last and
several frames, a beginning, a region; or one σ for each slot (paper row 21).
Shape legend: B batch, S slots, P tokens of a slot or keyframe, N = S·P, K keyframes, M = N + K·P, G groups, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from engines.conditioning.given import Given, Grid, Mode, coordinates, draw_given, nothing


@dataclass(frozen=True)
class NoiseMix:
    """How often which pattern is drawn (paper rows 16, 21, 24, 42; TRAINING.md's list).

    Attributes:
        modes: What is given → share of the clip batches; they add up to 1. "nothing" is also the dropout of pictures.
        per_frame: Share of the batches with one σ drawn for each slot: everything that fills in or rolls.
        text_dropout: Share of samples whose prompt is replaced by the empty one: classifier-free guidance.
        given_noise: β_m of row 42: what is given has the σ β/(1 + β), β = β_m·sigmoid(N(2σ⁵ − 1, 1)), the more the
            noisier the rest is, so that the model does not copy it where motion is decided. 0 gives it clean.
        given_clean: Share of the batches that give it clean all the same, as sampling does.
        window: Share of batches of long clips that show a window from the middle, times kept.
        logit_mean: Mean of the logit-normal noise level. Above 0, because coarse channels have up to ten times the mean
            variance: layout and motion are decided at σ around 0.75 and were hardly learnt at 0.
        object_weight: A token full of objects counts 1 + this·(1 − σ)²; only where the object's place is certain,
            for elsewhere the weighted mean would paint objects everywhere.
    """

    modes: Mapping[Mode, float] = field(default_factory=lambda: {"nothing": 1.0})
    per_frame: float = 0.2
    text_dropout: float = 0.1
    given_noise: float = 0.5
    given_clean: float = 0.5
    window: float = 0.25
    logit_mean: float = 1.0
    object_weight: float = 3.0

    def __post_init__(self) -> None:
        if abs(sum(self.modes.values()) - 1) > 1e-6:
            raise ValueError(f"the shares of the modes add up to {sum(self.modes.values()):g}, not to 1")


@dataclass(frozen=True)
class Pattern:
    """What a batch gives: the same for all its samples, and for all processes of a step, so that none waits.

    Attributes:
        per_frame: Whether every slot has a noise level of its own.
        is_noisy: Whether what is given has a little noise.
    """

    grid: Grid
    given: Given
    per_frame: bool
    is_noisy: bool

    @property
    def coordinates(self) -> torch.Tensor:
        """[3, M]."""
        return coordinates(self.grid, self.given.keyframes)

    @property
    def made(self) -> torch.Tensor:
        """Tokens that the loss counts, bool [M]."""
        keys = torch.zeros(len(self.given.keyframes) * self.grid.cells, dtype=torch.bool)
        return torch.cat([~self.given.tokens.flatten(), keys])


def draw_pattern(grid: Grid, keyframes: tuple[int, ...], mix: NoiseMix, generator: torch.Generator) -> Pattern:
    """One pattern.

    Args:
        keyframes: Frames that there are single encodings of; none for pictures.
    """
    given = _draw_given(grid, keyframes, mix, generator)
    per_frame = grid.slots > 1 and float(torch.rand((), generator=generator)) < mix.per_frame
    is_noisy = float(torch.rand((), generator=generator)) >= mix.given_clean
    return Pattern(grid, given, per_frame, is_noisy)


def draw_sigmas(pattern: Pattern, batch: int, mix: NoiseMix, generator: torch.Generator) -> torch.Tensor:
    """Logit-normal noise levels: [B, 1] where one serves all tokens, [B, S + K] with one for each slot and keyframe,
    [B, N] with one for each token where only some cells are given."""
    slots = pattern.grid.slots
    levels = (torch.randn(batch, slots if pattern.per_frame else 1, generator=generator) + mix.logit_mean).sigmoid()
    if not pattern.given.is_anything:
        return levels
    noise = _given_noise(levels.mean(1, keepdim=True), mix, generator) * pattern.is_noisy
    by_slot = pattern.given.tokens.flatten(1)
    levels = levels.expand(batch, slots)
    if torch.equal(by_slot.all(1), by_slot.any(1)):
        keys = noise.expand(-1, len(pattern.given.keyframes))
        return torch.cat([torch.where(by_slot.all(1), noise, levels), keys], dim=1)
    each = levels.repeat_interleave(pattern.grid.cells, dim=1)
    return torch.where(pattern.given.tokens.flatten(), noise, each)


def _given_noise(sigma: torch.Tensor, mix: NoiseMix, generator: torch.Generator) -> torch.Tensor:
    """TimeNoise (row 42, Conditional image leakage): σ of what is given beside the rest at `sigma`, both [B, 1]."""
    beta = mix.given_noise * (2 * sigma**5 - 1 + torch.randn(sigma.shape, generator=generator)).sigmoid()
    return beta / (1 + beta)


def _draw_given(grid: Grid, keyframes: tuple[int, ...], mix: NoiseMix, generator: torch.Generator) -> Given:
    """A picture and a window without a beginning of its own leave out the modes that they do not allow."""
    names = list(mix.modes)
    drawn = names[int(torch.multinomial(torch.tensor(list(mix.modes.values())), 1, generator=generator))]
    impossible = grid.slots == 1 or ("first" in drawn and grid.first_slot > 0) or (
        (not keyframes and drawn == "keyframes") or ("last" in drawn and keyframes[-1:] != (grid.last_frame,))
    )  # fmt: skip
    return nothing(grid) if impossible else draw_given(drawn, grid, keyframes, generator)


def kept_tokens(pattern: Pattern, share: float, generator: torch.Generator) -> torch.Tensor | None:
    """Numbers of the tokens that pass all blocks under deferred masking (paper row 49), in rising order; None for all.

    What is given always stays: it is what the others are made from. Of the rest `share` does, at least one token.
    """
    if share >= 1:
        return None
    made = pattern.made.nonzero()[:, 0]
    count = max(1, round(share * len(made)))
    chosen = made[torch.randperm(len(made), generator=generator)[:count]]
    return torch.cat([(~pattern.made).nonzero()[:, 0], chosen]).sort().values


def add_noise(
    clean: torch.Tensor, sigmas: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noisy tokens, target velocity and σ of each token, for clean tokens [B, M, C] and sigmas [B, G], G divides M."""
    noise = torch.randn(clean.shape, generator=generator)
    per_token = sigmas.repeat_interleave(clean.shape[1] // sigmas.shape[1], dim=1)[..., None]
    return (1 - per_token) * clean + per_token * noise, noise - clean, per_token


def flow_loss(
    predicted: torch.Tensor, target: torch.Tensor, per_token: torch.Tensor, coverage: torch.Tensor, made: torch.Tensor,
    mix: NoiseMix,
) -> torch.Tensor:  # fmt: skip
    """Mean squared error of the velocity over the tokens that are made, weighted towards certain objects.

    Args:
        predicted, target: [B, M, C]; per_token: [B, M, 1]; coverage: [B, M]; made: bool [M].
    """
    weight = 1 + mix.object_weight * coverage[..., None] * (1 - per_token) ** 2
    weight = weight * made[:, None]
    error = (predicted.float() - target) ** 2
    return (error * weight).sum() / (weight.sum() * error.shape[-1])
