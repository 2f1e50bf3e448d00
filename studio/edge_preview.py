"""What a model is shown where it follows edges: those of the first frame, in the model's size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import gradio as gr

from engines.composition.editing.request import FinishedVideoEditingRequest
from engines.errors import UserError
from engines.task import parse_request
from engines.video_editing.check import fit_of, open_video
from engines.video_editing.fitting import fitted_frames
from engines.video_editing.followed import edges
from studio.prompt_advice import catalogue
from studio.tabs.job_watch import Updates

SHOWN_SIDE = 384  # pixels of the longer side on the page


class EdgePreview:
    """Lays the picture out in the current block.

    Args:
        task: Of the tab.
    """

    def __init__(self, task: str) -> None:
        self.picture: Any = gr.Image(
            label="What the model is shown of the first frame", interactive=False, buttons=[],
            elem_id=f"{task}-edges", visible=False,
        )  # fmt: skip

    @property
    def outputs(self) -> list[Any]:
        return [self.picture]

    def drawn(self, request: Callable[[], dict[str, Any] | None]) -> Updates:
        """The picture of a request's video.

        Args:
            request: Gives its fields, or None where no edges are followed; may raise UserError.
        """
        try:
            fields = request()
            if fields is None:
                return {self.picture: gr.update(visible=False)}
            parsed = parse_request(FinishedVideoEditingRequest, fields)
            video = open_video(parsed)
            fit = fit_of(parsed, video, catalogue()[parsed.model])
            first = fitted_frames(video.frames(range(1)), fit)[0]
        except UserError:
            return {self.picture: gr.update(visible=False)}
        scale = max(1, SHOWN_SIDE // max(first.shape[:2]))
        shown = cv2.resize(edges(first), None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        return {self.picture: gr.update(value=shown, visible=True)}
