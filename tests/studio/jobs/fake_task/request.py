from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from engines.task import Request


class FakeRequest(Request):
    task: ClassVar[str] = "fake"

    text: str = Field("hello", min_length=1, max_length=20, description="What the file says.")
    steps: int = Field(4, ge=1, le=1000, description="Number of steps.")
    step_seconds: float = Field(0.02, ge=0, le=60, description="Sleep of each step.")
    chunk_steps: int = Field(0, ge=0, description="Steps between two chunk borders; 0 has none.")
    ends_with: Literal["result", "user_error", "bug", "memory", "gpu_memory", "exit"] = Field(
        "result", description="What happens after the steps."
    )
    video: Path | None = Field(None, description="Its bytes go into the result.", json_schema_extra={"input": "video"})
    pictures: list[Path] = Field([], description="Several files.", json_schema_extra={"input": "image"})
    weights: Path | None = Field(None, description="No picture.", json_schema_extra={"input": "weights"})


REQUEST = FakeRequest
