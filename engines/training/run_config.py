"""What a run's YAML may say, checked before anything starts: a wrong line is named, with what is allowed there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from engines.conditioning.given import Mode
from engines.training.yaml_files import Part, read_checked

EXAMPLE = "presets/training/diorama.yaml"
# A cache's keyframes as pictures of their own are named so in a phase's shares: things and places are learnt from them
# at a fifth of a clip's tokens.
STILLS = "stills of "
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Tokenizer(Part):
    """Fitting the linear code: channels of the latents, and how many renders it is fitted to."""

    channels: Annotated[int, Field(ge=1, le=3072)]
    clips: Count
    pictures: Annotated[int, Field(ge=0)]
    seeds: Annotated[list[int], Field(min_length=1)]


class Cache(Part):
    """Clips of one shape; see latent_cache.CachePlan."""

    count: Count
    frames: Count
    seed: int
    height: Annotated[int, Field(ge=32, multiple_of=32)] = 96
    width: Annotated[int, Field(ge=32, multiple_of=32)] = 96
    keyframes: tuple[Count, ...] = ()
    manifest: str = ""
    videos: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Cache:
        if self.frames % 4 != 1:
            raise ValueError(f"frames = {self.frames} is not 1, 5, 9, 13, …: the tokenizer takes 4k + 1")
        if list(self.keyframes) != sorted(set(self.keyframes)) or any(key >= self.frames for key in self.keyframes):
            raise ValueError(f"keyframes must rise and lie between 1 and {self.frames - 1}, the clip's last frame")
        if bool(self.manifest) != bool(self.videos):
            raise ValueError("manifest and videos belong together: what curation wrote, and the folder it was given")
        return self


class Noise(Part):
    """See flow_batch.NoiseMix."""

    modes: dict[Mode, Share]
    per_frame: Share = 0.2
    text_dropout: Share = 0.1
    given_noise: Share = 0.5
    given_clean: Share = 0.5
    window: Share = 0.25
    logit_mean: float = 1.0
    object_weight: Annotated[float, Field(ge=0)] = 3.0

    @model_validator(mode="after")
    def _whole(self) -> Noise:
        if abs(sum(self.modes.values()) - 1) > 1e-6:
            raise ValueError(f"the shares of modes add up to {sum(self.modes.values()):g}, they must add up to 1")
        return self


class Phase(Part):
    """So many steps on such a mix of caches.

    Attributes:
        keep: Below 1 it is deferred masking.
        logit_mean: Of the noise levels in this phase; None takes the run's. Fine detail is learnt at low ones.
        words: Clips whose captions have these words are taken so many times as often as others.
    """

    name: str
    steps: Count
    shares: Annotated[dict[str, Annotated[float, Field(ge=0)]], Field(min_length=1)]
    keep: Annotated[float, Field(gt=0, le=1)] = 1.0
    logit_mean: float | None = None
    words: dict[str, Positive] = Field(default_factory=dict)


class Rates(Part):
    muon: Positive
    adam: Positive
    warmup: Count
    cooldown: Count
    floor: Share


class Decoder(Part):
    """See decoder.DecoderPlan."""

    width: Count
    blocks: Count
    steps: Count
    batch: Count
    rate: Positive
    latent_noise: Annotated[float, Field(ge=0)]
    object_weight: Annotated[float, Field(ge=0)]
    seed: int
    shapes: tuple[tuple[Count, Count, Count, Positive], ...] = ((17, 96, 96, 1.0),)


class RunConfig(Part):
    """A whole configuration (presets/training/*.yaml)."""

    seed: int
    processes: Annotated[int, Field(ge=1, le=64)]
    rope_theta: Positive
    model: dict[str, Any]
    tokenizer: Tokenizer
    caches: Annotated[dict[str, Cache], Field(min_length=1)]
    noise: Noise
    phases: Annotated[list[Phase], Field(min_length=1)]
    tokens_per_batch: Count
    rates: Rates
    average_decay: Annotated[float, Field(ge=0, lt=1)]
    sampling_shift: Positive = 1.0
    continue_from: str | None = None
    window_slots: dict[str, Annotated[int, Field(ge=2)]] = Field(default_factory=dict)
    compile: bool = True
    sheet_every: Annotated[int, Field(ge=0)] = 0
    decoder: Decoder | None = None

    @model_validator(mode="after")
    def _names_meet(self) -> RunConfig:
        named = [*self.window_slots, *(cache for phase in self.phases for cache in phase.shares)]
        stills = [f"{STILLS}{name}" for name, cache in self.caches.items() if cache.keyframes]
        for name in named:
            if name not in (*self.caches, *stills):
                raise ValueError(f"there is no cache “{name}”, only {', '.join([*self.caches, *stills])}")
        for phase in self.phases:
            if not sum(phase.shares.values()):
                raise ValueError(f"the shares of the phase “{phase.name}” are all 0")
        return self


def read_config(path: Path) -> dict[str, Any]:
    """The file's content, checked. Raises InvalidRequest naming the field, what is allowed and what to do."""
    return read_checked(path, RunConfig, EXAMPLE)
