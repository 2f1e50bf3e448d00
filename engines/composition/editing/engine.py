"""The video-editing task with what a model made finished: edit → decode → upscale → interpolate → encode.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engines.composition.editing.request import FinishedVideoEditingRequest
from engines.composition.finishing.finisher import Finisher
from engines.context import RunContext
from engines.task import Result
from engines.video_editing.check import by_a_model
from engines.video_editing.engine import VideoEditingEngine

if TYPE_CHECKING:
    from engines.backend.registry import ModelRegistry


class FinishedEditingEngine:
    """Edits footage; what a model made of it is then finished. Models and networks are kept between runs.

    Args:
        models: Loaded models to share; by default the engine makes a registry at its first run.
    """

    def __init__(self, models: ModelRegistry | None = None) -> None:
        self._clips = VideoEditingEngine(models)
        self._finisher = Finisher()

    def check(self, request: FinishedVideoEditingRequest) -> list[str]:
        """Warnings. Raises: UserError if the request cannot be rendered."""
        said = self._clips.check(request)
        if _is_finished(request):
            self._finisher.check()
        return said

    def run(self, request: FinishedVideoEditingRequest, context: RunContext) -> Result:
        """See VideoEditingEngine. Raises: UserError, Cancelled or Paused."""
        return self._clips.run(request, context, self._finisher if _is_finished(request) else None)


def _is_finished(request: FinishedVideoEditingRequest) -> bool:
    return request.enlarge and by_a_model(request)


ENGINE = FinishedEditingEngine
