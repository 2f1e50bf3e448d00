"""What a storyboard may ask for. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from engines.composition.finishing.finisher import WHAT_IT_DOES, is_small
from engines.footage.fields import ExportFields

Transition = Literal["continue", "cut", "crossfade"]
GoesOn = Literal["chained", "shared keys", "blended"]
LONGEST_SECONDS = 600.0


class Scene(BaseModel):
    """One scene: what it shows, for how long, and how it begins."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    prompt: str = Field(min_length=1, max_length=1000, description="What the scene shows.")
    seconds: float = Field(gt=0.0, le=120.0, description="How long it lasts.")
    transition: Transition = Field(
        "cut",
        description="How it begins: “continue” goes on in the same take, “cut” and “crossfade” begin a new one.",
    )
    title: str = Field("", max_length=80, description="Words that stand over the scene.")
    begins_with: int = Field(0, ge=0, description="Number of the picture that it begins with, from 1 on; 0 for none.")
    ends_with: int = Field(0, ge=0, description="Number of the picture that it ends with; 0 for none.")

    @field_validator("prompt")
    @classmethod
    def _says_something(cls, prompt: str) -> str:
        if not prompt.strip():
            raise ValueError("it is empty")
        return prompt


class StoryboardRequest(ExportFields):
    """Scenes in a row become one film."""

    task: ClassVar[str] = "storyboard"

    scenes: tuple[Scene, ...] = Field(
        min_length=1, max_length=40,
        description="The scenes in their order. On the page one a line, as “continue 2 s from 1 to 2: a fox spins | "
        "title”, where “continue” goes on in the same take, “crossfade” fades over and nothing is a cut; “from” and "
        "“to” name pictures that the scene begins and ends with. In the API each with prompt, seconds, transition, "
        "title, begins_with and ends_with.",
        json_schema_extra={"layer": "main", "widget": "scenes"},
    )  # fmt: skip
    pictures: tuple[Path, ...] = Field(
        (), max_length=24,
        description="Pictures that scenes begin or end with, numbered from 1 on; cut to the film's shape.",
        json_schema_extra={"layer": "main", "input": "image"},
    )  # fmt: skip
    seed: int = Field(
        0, ge=0, le=2**32 - 1,
        description="Start of the random numbers. The same request and seed give the same film.",
        json_schema_extra={"layer": "main", "widget": "seed"},
    )  # fmt: skip
    finish: bool = Field(
        True, description=f"{WHAT_IT_DOES}, before titles are laid over it.", json_schema_extra={"layer": "main"}
    )
    crossfade_seconds: float = Field(
        0.5, gt=0.0, le=5.0, description="How long a crossfade lasts.", json_schema_extra={"layer": "look"}
    )
    music: Path | None = Field(
        None, description="Music or speech under the film; a shorter one is repeated, a longer one ends with the film.",
        json_schema_extra={"layer": "look", "input": "audio"},
    )  # fmt: skip
    music_fade_seconds: float = Field(
        1.0, ge=0.0, le=20.0, description="How long the music takes to come and to go.",
        json_schema_extra={"layer": "look"},
    )  # fmt: skip
    loudness: float = Field(
        -16.0, ge=-40.0, le=-8.0, description="How loud the music is, in LUFS (EBU R 128); −16 is usual on the web.",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
    goes_on: GoesOn = Field(
        "chained",
        description="How a take goes on over several scenes: “chained” gives each part the end of the one before, "
        "“shared keys” makes all parts side by side, each attending to the one before (DiTCtrl), “blended” only "
        "averages them.",
        json_schema_extra={"layer": "quality"},
    )
    steps: int = Field(
        20, ge=2, le=200, description="Denoising steps. More take longer and give cleaner pictures, up to a point.",
        json_schema_extra={"layer": "quality"},
    )  # fmt: skip
    guidance_scale: float = Field(
        4.0, ge=1.0, le=20.0,
        description="How closely the prompts are followed (classifier-free guidance scale); 1 turns guidance off.",
        json_schema_extra={"layer": "quality"},
    )  # fmt: skip
    negative_prompt: str = Field(
        "", max_length=1000, description="What no scene should show. Used by guidance.",
        json_schema_extra={"layer": "look"},
    )  # fmt: skip
    model: str = Field(
        "diorama", description="Which model renders.",
        json_schema_extra={"layer": "advanced", "choices_from": "models"},
    )  # fmt: skip
    width: int = Field(
        96, ge=32, le=1920, multiple_of=32, description="Width in pixels.", json_schema_extra={"layer": "advanced"}
    )
    height: int = Field(
        96, ge=32, le=1920, multiple_of=32, description="Height in pixels.", json_schema_extra={"layer": "advanced"}
    )

    @property
    def is_finished(self) -> bool:
        """Whether the film will be finished: asked for, and small enough."""
        return self.finish and is_small(self.width, self.height)

    @field_validator("scenes")
    @classmethod
    def _not_endless(cls, scenes: tuple[Scene, ...]) -> tuple[Scene, ...]:
        if sum(scene.seconds for scene in scenes) > LONGEST_SECONDS:
            raise ValueError(f"together they last longer than {LONGEST_SECONDS:g} seconds")
        return scenes


REQUEST = StoryboardRequest
