"""The video-editing task with what a model made finished: edit → decode → upscale → interpolate → encode.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engines.composition.editing.request import FinishedVideoEditingRequest
from engines.composition.finishing.around import FinishedClips
from engines.video_editing.check import by_a_model
from engines.video_editing.engine import VideoEditingEngine

if TYPE_CHECKING:
    from engines.backend.registry import ModelRegistry


class FinishedEditingEngine(FinishedClips[FinishedVideoEditingRequest]):
    """Edits footage; what a model made of it is then finished.

    Args:
        models: Loaded models to share; by default the engine makes a registry at its first run.
    """

    def __init__(self, models: ModelRegistry | None = None) -> None:
        super().__init__(VideoEditingEngine(models), lambda request: request.enlarge and by_a_model(request))


ENGINE = FinishedEditingEngine
