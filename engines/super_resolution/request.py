"""What the Upscale tab, the API and the command line may ask for. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from engines.footage.fields import ExportFields, FootageFields


class UpscaleRequest(FootageFields, ExportFields):
    """Makes a video or a picture larger."""

    task: ClassVar[str] = "super_resolution"

    model: Literal["drawn", "photo"] = Field(
        "drawn",
        description="“Drawn” is fast and made for drawings; on live footage it paints, which low detail holds back. "
        "“Photo” is for photographs and takes about twenty times as long.",
        json_schema_extra={"layer": "main"},
    )
    factor: float = Field(
        2.0, ge=1.0, le=8.0, multiple_of=0.25, description="How many times larger each side becomes.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    width: int | None = Field(
        None, ge=16, le=8192,
        description="Exact width in pixels instead of a factor; alone it keeps the proportions.",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
    height: int | None = Field(
        None, ge=16, le=8192,
        description="Exact height in pixels instead of a factor; alone it keeps the proportions.",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
    detail: float = Field(
        0.75, ge=0.0, le=1.0, multiple_of=0.05,
        description="How much of the detail that the model invents is added: 0 only enlarges, 1 is all of it.",
        json_schema_extra={"layer": "look"},
    )  # fmt: skip
    denoise: float = Field(
        1.0, ge=0.0, le=2.0, multiple_of=0.25,
        description="How much noise is averaged away along motion before enlarging; a clean clip stays as it is.",
        json_schema_extra={"layer": "look"},
    )  # fmt: skip
    temporal: bool = Field(
        True, description="Average the added detail along motion, so that it does not flicker.",
        json_schema_extra={"layer": "quality"},
    )  # fmt: skip
    weights: Path | None = Field(
        None,
        description="Your own weights instead of the model: SRVGGNetCompact or RRDBNet as .safetensors.",
        json_schema_extra={"layer": "advanced", "input": "weights"},
    )


REQUEST = UpscaleRequest
