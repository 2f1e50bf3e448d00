"""The image-animation task with its clips finished: sample → decode → upscale → interpolate → encode.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engines.composition.animation.request import FinishedImageAnimationRequest
from engines.composition.finishing.around import FinishedClips
from engines.image_animation.engine import ImageAnimationEngine

if TYPE_CHECKING:
    from engines.backend.registry import ModelRegistry


class FinishedAnimationEngine(FinishedClips[FinishedImageAnimationRequest]):
    """Animates pictures; a small clip is then finished.

    Args:
        models: Loaded models to share; by default the engine makes a registry at its first run.
    """

    def __init__(self, models: ModelRegistry | None = None) -> None:
        super().__init__(ImageAnimationEngine(models), lambda request: request.finish)


ENGINE = FinishedAnimationEngine
