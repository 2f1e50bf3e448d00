"""The fields that every request about footage has. Mixed into the tasks' requests. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from engines.task import Request

ExportPreset = Literal["good", "small", "archive", "custom"]
Codec = Literal["h264", "h265", "vp9", "av1", "prores", "gif", "png"]


class FootageFields(Request):
    """Which footage, and which part of it."""

    video: Path = Field(
        description="The video, GIF or picture sequence to work on.",
        json_schema_extra={"layer": "main", "input": "video"},
    )
    start: float = Field(
        0.0, ge=0.0, description="In point: seconds from the beginning of the file.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    end: float | None = Field(
        None, gt=0.0, description="Out point: seconds from the beginning of the file; empty is its end.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    deinterlace: bool = Field(
        True, description="Make whole frames of half pictures, where the file says that it has them.",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip


class ExportFields(Request):
    """How the result is written."""

    export: ExportPreset = Field(
        "good",
        description="“good” looks like the frames that were made, “small” is for sending, “archive” is lossless to the "
        "eye with 10 bits; “custom” takes codec, crf and bits from below.",
        json_schema_extra={"layer": "quality"},
    )
    codec: Codec = Field("h264", description="Codec of a custom export.", json_schema_extra={"layer": "advanced"})
    crf: int = Field(
        18, ge=0, le=51, description="Quality of a custom export: 0 is best and largest, 51 worst.",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
    ten_bit: bool = Field(
        False, description="Ten bits per channel in a custom export, against banding.",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
    keep_audio: bool = Field(True, description="Keep the sound.", json_schema_extra={"layer": "advanced"})
    strip_metadata: bool = Field(
        False, description="Write nothing about how it was made into the file.",
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
