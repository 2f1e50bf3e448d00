"""A clip in another look, frame by frame."""

from __future__ import annotations

import numpy as np

from engines.backend.families.base import Family, Frames
from engines.context import RunContext
from engines.video_editing.methods.clip_edit import How, Words
from engines.video_editing.methods.frame_by_frame import restyle
from engines.video_editing.request import VideoEditingRequest


def restyle_clip(family: Family, request: VideoEditingRequest, frames: Frames, context: RunContext) -> Frames:
    """uint8 [T, H, W, 3], like `frames`. Raises: Cancelled between two frames."""
    context.step("encoding", 0, 1)
    words = Words(*(family.encode_prompt([text]) for text in ("", request.prompt, "")))
    how = How(request.steps, request.change, request.guidance_scale, seed=request.seed)
    context.step("encoding", 1, 1)

    def on_frame(done: int) -> None:
        context.step("denoising", done, len(frames))

    return np.concatenate(list(restyle(family, frames, words, how, request.steadiness, on_frame=on_frame)))
