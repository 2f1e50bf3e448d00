"""What the Text to video tab and its endpoint may ask for. No torch here."""

from __future__ import annotations

from pydantic import Field

from engines.composition.finishing.finisher import WHAT_IT_DOES, is_small
from engines.text_to_video.request import TextToVideoRequest


class FinishedTextToVideoRequest(TextToVideoRequest):
    """A prompt becomes a video."""

    finish: bool = Field(
        True,
        description=f"{WHAT_IT_DOES}, with twice as many frames. The clip as the model made it stays beside it.",
        json_schema_extra={"layer": "main"},
    )

    @property
    def is_finished(self) -> bool:
        """Whether the clip will be finished: asked for, and small enough."""
        return self.finish and is_small(self.width, self.height)


REQUEST = FinishedTextToVideoRequest
