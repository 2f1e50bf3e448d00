"""What the Upscale tab and its endpoint may ask for. No torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engines.super_resolution.request import UpscaleRequest

SAME = "same"


class UpscaleChainRequest(UpscaleRequest):
    """Makes a video or a picture larger and, if you want, smoother in the same go."""

    rate: Literal["same", "x2", "x4", "x8", "24", "30", "50", "60", "120"] = Field(
        "same",
        description="Frames per second: “same” as the video, times as many, or their number. What lies between two "
        "frames is made from the larger ones, before anything is encoded.",
        json_schema_extra={"layer": "main"},
    )


REQUEST = UpscaleChainRequest
