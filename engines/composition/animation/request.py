"""What the Animate tab and its endpoint may ask for. No torch here."""

from __future__ import annotations

from pydantic import Field

from engines.composition.finishing.finisher import WHAT_IT_DOES
from engines.image_animation.request import ImageAnimationRequest


class FinishedImageAnimationRequest(ImageAnimationRequest):
    """A picture starts to move."""

    finish: bool = Field(
        True, description=f"{WHAT_IT_DOES}, with twice as many frames.", json_schema_extra={"layer": "main"}
    )


REQUEST = FinishedImageAnimationRequest
