from __future__ import annotations

from pydantic import Field

from engines.composition.upscaling.request import UpscaleChainRequest


class DoublingRequest(UpscaleChainRequest):
    """Footage drawn larger."""

    pause: float = Field(0.0, ge=0.0, le=1.0, description="Seconds of rest after every frame.")


REQUEST = DoublingRequest
