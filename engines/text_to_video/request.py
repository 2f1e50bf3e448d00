"""What a person can ask of text-to-video. No torch here."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from engines.backend.step_cache.kinds import StepCache
from engines.long_video.choice import OVERLAP, LongChoice
from engines.task import Request

Solver = Literal["euler", "midpoint", "heun"]
Schedule = Literal["model", "linear", "shifted", "linear_quadratic"]
OutputFormat = Literal["mp4", "webm", "gif", "png"]


class TextToVideoRequest(Request):
    """A prompt becomes a video."""

    task: ClassVar[str] = "text_to_video"

    prompt: str = Field(
        min_length=1,
        max_length=1000,
        description="What the video shows: a thing, what it does, and where.",
        json_schema_extra={"layer": "main"},
    )
    model: str = Field(
        "diorama",
        description="Which model renders. The bundled Diorama model needs no download and no GPU.",
        json_schema_extra={"layer": "main", "choices_from": "models"},
    )
    width: int = Field(
        96, ge=32, le=1920, multiple_of=32,
        description="Width of the video in pixels.", json_schema_extra={"layer": "main"},
    )  # fmt: skip
    height: int = Field(
        96, ge=32, le=1920, multiple_of=32,
        description="Height of the video in pixels.", json_schema_extra={"layer": "main"},
    )  # fmt: skip
    frames: int = Field(
        17, ge=1, le=2401,
        description="Number of frames. What the model makes at once it rounds, and says so; longer films are made in "
        "parts.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    fps: int = Field(
        24, ge=1, le=60, description="Frames per second of the video.", json_schema_extra={"layer": "advanced"}
    )
    seed: int = Field(
        0, ge=0, le=2**32 - 1,
        description="Start of the random numbers. The same request and seed give the same video.",
        json_schema_extra={"layer": "main", "widget": "seed"},
    )  # fmt: skip
    takes: int = Field(
        1, ge=1, le=9,
        description="How many versions to make, with this seed and the ones after it, to pick from.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    steps: int = Field(
        20, ge=1, le=200,
        description="Denoising steps. More take longer and give cleaner pictures, up to a point.",
        json_schema_extra={"layer": "quality"},
    )  # fmt: skip
    solver: Solver = Field(
        "euler",
        description="How a step is made. Midpoint and Heun ask the model twice per step and follow curves better.",
        json_schema_extra={"layer": "quality"},
    )
    guidance_scale: float = Field(
        4.0, ge=1.0, le=20.0,
        description="How closely the prompt is followed (classifier-free guidance scale); 1 turns guidance off.",
        json_schema_extra={"layer": "quality"},
    )  # fmt: skip
    step_cache: StepCache = Field(
        "off",
        description="Reuse what changes little from step to step: faster and a little less exact, by so many dB as "
        "measured on the bundled model at 30 steps (40 is hardly seen, 30 is seen), for some memory.",
        json_schema_extra={"layer": "quality", "choices_from": "step_caches"},
    )
    negative_prompt: str = Field(
        "",
        max_length=1000,
        description="What the video should not show. Used by guidance.",
        json_schema_extra={"layer": "look"},
    )
    schedule: Schedule = Field(
        "model",
        description="How the noise level falls over the steps; “model” is what the model was made for.",
        json_schema_extra={"layer": "advanced"},
    )
    guidance_start: float = Field(
        0.0, ge=0.0, le=1.0,
        description="Guidance begins after this share of the steps (guidance interval).",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
    guidance_end: float = Field(
        1.0, ge=0.0, le=1.0,
        description="Guidance ends after this share of the steps (guidance interval).",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
    long_method: LongChoice = Field(
        "automatic",
        description="How a film is made that is longer than what the model makes at once: one part after another, or "
        "all parts together.",
        json_schema_extra={"layer": "advanced"},
    )
    overlap: int = Field(
        OVERLAP, ge=0, le=256,
        description="Frames that each part of a long film shares with the one before it.",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
    keep_colours: bool = Field(
        False,
        description="Bring the colours of each part of a long film back to those of the first one.",
        json_schema_extra={"layer": "advanced"},
    )
    output_format: OutputFormat = Field(
        "mp4",
        description="File format: MP4 (H.264), WebM (VP9), GIF, or a sequence of PNG pictures in a zip file.",
        json_schema_extra={"layer": "advanced"},
    )
    preview_every: int = Field(
        2, ge=0, le=50,
        description="Show a preview every so many steps; 0 shows none.",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip

    @field_validator("prompt")
    @classmethod
    def _prompt_says_something(cls, prompt: str) -> str:
        if not prompt.strip():
            raise ValueError("it is empty")
        return prompt


REQUEST = TextToVideoRequest
