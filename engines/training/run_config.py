"""What a run's YAML may say, checked before anything starts: a wrong line is named, with what is allowed there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engines.conditioning.given import Mode
from engines.errors import InvalidRequest

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tokenizer(_Part):
    """Fitting the linear code: channels of the latents, and how many renders it is fitted to."""

    channels: Annotated[int, Field(ge=1, le=3072)]
    clips: Count = 1
    pictures: Annotated[int, Field(ge=0)] = 0
    seeds: Annotated[list[int], Field(min_length=1)] = [0]


class Cache(_Part):
    """Clips of one shape; see latent_cache.CachePlan."""

    count: Count
    frames: Count
    seed: int
    height: Annotated[int, Field(ge=32, multiple_of=32)] = 96
    width: Annotated[int, Field(ge=32, multiple_of=32)] = 96
    keyframes: tuple[Count, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Cache:
        if self.frames % 4 != 1:
            raise ValueError(f"frames = {self.frames} is not 1, 5, 9, 13, …: the tokenizer takes 4k + 1")
        if list(self.keyframes) != sorted(set(self.keyframes)) or any(key >= self.frames for key in self.keyframes):
            raise ValueError(f"keyframes must rise and lie between 1 and {self.frames - 1}, the clip's last frame")
        return self


class Noise(_Part):
    """See flow_batch.NoiseMix."""

    modes: dict[Mode, Share] = {"nothing": 1.0}
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


class Phase(_Part):
    """So many steps on such a mix of caches; keep below 1 is deferred masking."""

    name: str
    steps: Count
    shares: Annotated[dict[str, Annotated[float, Field(ge=0)]], Field(min_length=1)]
    keep: Annotated[float, Field(gt=0, le=1)] = 1.0


class Rates(_Part):
    muon: Positive
    adam: Positive
    warmup: Count
    cooldown: Count
    floor: Share


class Decoder(_Part):
    """See decoder.DecoderPlan."""

    width: Count
    blocks: Count
    steps: Count
    batch: Count
    rate: Positive
    latent_noise: Annotated[float, Field(ge=0)]
    object_weight: Annotated[float, Field(ge=0)]
    seed: int
    shapes: list[tuple[Count, Count, Count, Positive]] = [(17, 96, 96, 1.0)]


class RunConfig(_Part):
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
    window_slots: dict[str, Annotated[int, Field(ge=2)]] = {}
    compile: bool = True
    sheet_every: Annotated[int, Field(ge=0)] = 0
    decoder: Decoder | None = None

    @model_validator(mode="after")
    def _names_meet(self) -> RunConfig:
        named = [*self.window_slots, *(cache for phase in self.phases for cache in phase.shares)]
        for name in named:
            if name not in self.caches:
                raise ValueError(f"there is no cache “{name}”, only {', '.join(self.caches)}")
        for phase in self.phases:
            if not sum(phase.shares.values()):
                raise ValueError(f"the shares of the phase “{phase.name}” are all 0")
        return self


def read_config(path: Path) -> dict[str, Any]:
    """The file's content, checked.

    Raises: InvalidRequest naming the file and the line's field ("phases.1.steps"), what is allowed and what to do.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InvalidRequest(
            f"There is no configuration {path}.", "Give an existing file with --config.", "config"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"{path} is not readable YAML: {error}.", "Mend the line that it names.", "config"
        ) from error
    if not isinstance(content, dict):
        raise InvalidRequest(
            f"{path} holds no fields.", "Write “name: value” lines, as presets/training/diorama.yaml has.", "config"
        )
    try:
        RunConfig.model_validate(content)
    except ValidationError as error:
        raise _readable(error, path) from error
    return content


def _readable(error: ValidationError, path: Path) -> InvalidRequest:
    """The first mistake as a sentence; how many more there are, too."""
    first, more = error.errors()[0], error.error_count() - 1
    field = ".".join(str(part) for part in first["loc"] if part != "[key]") or None
    if first["type"] == "extra_forbidden":
        message, fix = f"{path}: there is no field {field}.", "Remove the line, or mend its spelling."
    elif first["type"] == "missing":
        message, fix = f"{path}: {field} is missing.", f"Add {field}; presets/training/diorama.yaml shows it."
    else:
        said = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        place = f"{field}: " if field else ""
        message, fix = f"{path}: {place}{said}.", f"Change {field or 'these lines'}."
    return InvalidRequest(message, fix + (f" There are {more} more mistakes." if more else ""), field)
