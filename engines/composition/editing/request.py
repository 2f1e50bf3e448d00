"""What the Edit tab and its endpoint may ask for. No torch here."""

from __future__ import annotations

from pydantic import Field

from engines.composition.finishing.finisher import WHAT_IT_DOES
from engines.video_editing.request import VideoEditingRequest


class FinishedVideoEditingRequest(VideoEditingRequest):
    """Changes what a video shows and leaves the rest alone."""

    enlarge: bool = Field(
        True,
        description=f"What a model made: {WHAT_IT_DOES[0].lower()}{WHAT_IT_DOES[1:]}, and give it as many frames a "
        "second as the clip has.",
        json_schema_extra={"layer": "main"},
    )


REQUEST = FinishedVideoEditingRequest
