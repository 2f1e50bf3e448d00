"""The image-animation task with its clips finished: sample → decode → upscale → interpolate → encode.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engines.composition.animation.request import FinishedImageAnimationRequest
from engines.composition.finishing.finisher import Finisher
from engines.context import RunContext
from engines.image_animation.engine import ImageAnimationEngine
from engines.task import Result

if TYPE_CHECKING:
    from engines.backend.registry import ModelRegistry


class FinishedAnimationEngine:
    """Animates pictures; a small clip is then finished. Models and networks are kept between runs.

    Args:
        models: Loaded models to share; by default the engine makes a registry at its first run.
    """

    def __init__(self, models: ModelRegistry | None = None) -> None:
        self._clips = ImageAnimationEngine(models)
        self._finisher = Finisher()

    def check(self, request: FinishedImageAnimationRequest) -> list[str]:
        """Warnings. Raises: UserError if the request cannot be rendered."""
        said = self._clips.check(request)
        if request.finish:
            self._finisher.check()
        return said

    def run(self, request: FinishedImageAnimationRequest, context: RunContext) -> Result:
        """See ImageAnimationEngine. Raises: UserError, Cancelled or Paused."""
        return self._clips.run(request, context, self._finisher if request.finish else None)


ENGINE = FinishedAnimationEngine
