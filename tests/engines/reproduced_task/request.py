from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from engines.task import Request


class StripesRequest(Request):
    task: ClassVar[str] = "stripes"
    seed: int = Field(0, ge=0)
    frames: int = Field(8, ge=1, le=50)
    output_format: str = "mp4"


REQUEST = StripesRequest
