"""What a shot must be to be kept, and into which sizes and lengths it is sorted: presets/training/curation.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from engines.training.yaml_files import Part, read_checked

EXAMPLE = "presets/training/curation.yaml"
Percent = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Size = tuple[Annotated[int, Field(ge=32, multiple_of=32)], Annotated[int, Field(ge=32, multiple_of=32)]]


class Thresholds(Part):
    """Bounds of the measures (measures.py says what each one is).

    Attributes:
        motion: Least and most, percent of the diagonal in an eighth of a second.
        shake: Most change of the whole picture's motion from one eighth of a second to the next, in the same unit.
        clarity: Least variance of the Laplacian at a short side of 256 pixels.
        brightness: Least and most mean grey level, 0 … 255.
        clipped: Most pixels that are black or white, percent.
        bars: Most of the picture that black bars take, percent.
        appeal: Least colourfulness and contrast taken together: a proxy, it knows no beauty.
        mixing: Most of the picture that changes by mere mixing, percent: what lies above is a dissolve or a fade.
        worst: Share of the shots that is dropped on top of that, the last by clarity, and the last by appeal.
    """

    motion: tuple[Percent, Percent]
    shake: Percent
    clarity: Annotated[float, Field(ge=0)]
    brightness: tuple[float, float]
    clipped: Percent
    bars: Percent
    appeal: Annotated[float, Field(ge=0)]
    mixing: Percent
    worst: Share = 0.0

    @model_validator(mode="after")
    def _rise(self) -> Thresholds:
        for name in ("motion", "brightness"):
            low, high = getattr(self, name)
            if low >= high:
                raise ValueError(f"{name} = [{low:g}, {high:g}] leaves nothing between its least and its most")
        return self


class Rules(Part):
    """A whole configuration.

    Attributes:
        fps: Frames per second of the training clips; every video is read at this rate.
        sizes: (height, width) of the buckets.
        lengths: Frames of the buckets, 4k + 1.
        most_cropped: A shot whose shape would lose more of the picture than this in every bucket is dropped.
        windows_per_shot: At most so many clips are cut out of one shot.
        shortest_shot: Frames.
        trimmed: Frames left out at both ends of a shot: cuts are rarely clean.
        duplicate_bits: Two shots are the same if each of three 64-bit pictures of them differs in at most so many.
        caption_required: Whether a shot without a caption is dropped.
    """

    fps: Annotated[int, Field(ge=1, le=120)]
    sizes: Annotated[list[Size], Field(min_length=1)]
    lengths: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
    most_cropped: Share
    windows_per_shot: Annotated[int, Field(ge=1)]
    shortest_shot: Annotated[int, Field(ge=1)]
    trimmed: Annotated[int, Field(ge=0)]
    duplicate_bits: Annotated[int, Field(ge=0, le=64)]
    caption_required: bool
    keep: Thresholds

    @model_validator(mode="after")
    def _lengths_fit(self) -> Rules:
        for length in self.lengths:
            if length % 4 != 1:
                raise ValueError(f"lengths: {length} is not 1, 5, 9, 13, …: the tokenizer takes 4k + 1 frames")
        return self


def read_rules(path: Path) -> Rules:
    """Raises InvalidRequest naming the wrong line."""
    return Rules.model_validate(read_checked(path, Rules, EXAMPLE))
