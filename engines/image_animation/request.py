"""What the Animate tab, the API and the command line may ask for. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from engines.footage.fields import ExportFields
from engines.footage.framing import Framing

Method = Literal["joint guidance", "word guidance", "picture prior", "replacement"]


class ImageAnimationRequest(ExportFields):
    """A picture starts to move."""

    task: ClassVar[str] = "image_animation"

    picture: Path = Field(
        description="The picture that the video begins with.", json_schema_extra={"layer": "main", "input": "image"}
    )
    prompt: str = Field(
        min_length=1, max_length=1000,
        description="What the picture shows, and what happens: “a fox bounces in the snow”.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    movement: float = Field(
        0.0, ge=-1.0, le=1.0, multiple_of=0.05,
        description="To the left the picture is kept more closely, to the right it is let move more.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    end_picture: Path | None = Field(
        None, description="A picture that the video ends with.", json_schema_extra={"layer": "main", "input": "image"}
    )
    keyframes: tuple[Path, ...] = Field(
        (), max_length=8, description="Further pictures that the video passes through, in their order.",
        json_schema_extra={"layer": "main", "input": "image"},
    )  # fmt: skip
    keyframe_seconds: str = Field(
        "", max_length=200,
        description="When each of these pictures is reached, in seconds, with commas between: “0.3, 0.5”.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    frames: int = Field(
        17, ge=5, le=2401,
        description="Number of frames. What the model makes at once it rounds, and says so; longer films are made in "
        "parts.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
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
    framing: Framing = Field(
        "crop",
        description="How a picture of another shape is fitted: cut to the video's shape, or whole with its edges "
        "continued.",
        json_schema_extra={"layer": "look"},
    )
    model: str = Field(
        "diorama",
        description="Which model animates. The bundled one knows the Diorama and nothing else.",
        json_schema_extra={"layer": "advanced", "choices_from": "models"},
    )
    method: Method = Field(
        "word guidance",
        description="“Word guidance” strengthens what the words say, “joint guidance” what words and picture say "
        "together (STIV): a little nearer to the picture, with less motion. “Picture prior” begins at the picture "
        "instead of at noise (I2V-Adapter), “replacement” puts the picture in its place at every step and tells the "
        "model nothing.",
        json_schema_extra={"layer": "quality"},
    )
    steps: int = Field(
        20, ge=2, le=200, description="Denoising steps. More take longer and give cleaner pictures, up to a point.",
        json_schema_extra={"layer": "quality"},
    )  # fmt: skip
    guidance_scale: float = Field(
        4.0, ge=1.0, le=20.0, description="How closely prompt and picture are followed; 1 turns guidance off.",
        json_schema_extra={"layer": "quality"},
    )  # fmt: skip

    @field_validator("prompt")
    @classmethod
    def _prompt_says_something(cls, prompt: str) -> str:
        if not prompt.strip():
            raise ValueError("it is empty")
        return prompt


REQUEST = ImageAnimationRequest
