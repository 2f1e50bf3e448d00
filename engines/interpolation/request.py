"""What the Interpolate tab, the API and the command line may ask for. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from engines.footage.fields import ExportFields, FootageFields

Between = Literal["flow", "keyframes", "both ends"]


class InterpolationRequest(FootageFields, ExportFields):
    """Makes a video smoother or slower, or one picture out of another."""

    task: ClassVar[str] = "interpolation"

    rate: Literal["x2", "x4", "x8", "24", "30", "50", "60", "120"] = Field(
        "x2", description="Times as many frames per second, or the frames per second themselves.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    slower: float = Field(
        1.0, ge=1.0, le=16.0, multiple_of=0.25,
        description="Slow motion: how many times longer it lasts. The sound is stretched and keeps its pitch.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    second: Path | None = Field(
        None, description="A second picture: the first one turns into it.",
        json_schema_extra={"layer": "advanced", "input": "image"},
    )  # fmt: skip
    morph_seconds: float = Field(
        2.0, ge=0.25, le=20.0, description="How long the change from one picture to the other takes.",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
    between: Between = Field(
        "flow",
        description="How one picture turns into the other: “flow” moves pixels (RIFE); where things go too far for "
        "that, a model makes what lies between: from both pictures at once (“keyframes”), or forwards and backwards "
        "in turn (“both ends”, ViBiDSampler).",
        json_schema_extra={"layer": "advanced"},
    )
    prompt: str = Field(
        "", max_length=1000,
        description="What happens between the two pictures; only where a model makes it.",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
    model: str = Field(
        "diorama", description="Which model makes what lies between two pictures.",
        json_schema_extra={"layer": "advanced", "choices_from": "models"},
    )  # fmt: skip
    seed: int = Field(
        0, ge=0, le=2**32 - 1, description="Start of the model's random numbers.",
        json_schema_extra={"layer": "advanced", "widget": "seed"},
    )  # fmt: skip
    find_cuts: bool = Field(
        True, description="Blend nothing from one shot into the next.", json_schema_extra={"layer": "quality"}
    )
    drop_repeats: bool = Field(
        True,
        description="Take frames that only repeat the one before as missing, as in animation drawn on twos.",
        json_schema_extra={"layer": "quality"},
    )
    confident: bool = Field(
        True, description="Average the two frames where they agree, instead of choosing one: less noise.",
        json_schema_extra={"layer": "quality"},
    )  # fmt: skip


REQUEST = InterpolationRequest
