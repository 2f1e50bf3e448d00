"""What a model makes of a clip, by what the request asks for.

Shape legend: frames uint8 [T, H, W, 3], in the model's size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from engines.backend.families.base import Family, Frames
from engines.context import RunContext
from engines.footage.footage import Footage
from engines.selection.background import Mattes
from engines.video_editing.finishing import finish_clip, moved_mattes, unseen
from engines.video_editing.fitting import Fit, fitted, fitted_masks, inside_canvas
from engines.video_editing.followed import shown_frames
from engines.video_editing.following import follow_clip
from engines.video_editing.rearranging import move_of, rearranged
from engines.video_editing.regions import make_region
from engines.video_editing.request import Mode, VideoEditingRequest
from engines.video_editing.styles import restyle_clip
from engines.video_editing.words import edit_by_words


@dataclass(frozen=True)
class Asked:
    """What is asked of the model.

    Attributes:
        video: In its own size. fit: How it becomes the model's clip.
        selected: Where the thing is that is meant, where one is.
    """

    family: Family
    request: VideoEditingRequest
    video: Footage
    fit: Fit
    selected: Mattes | None
    context: RunContext

    @property
    def frames(self) -> Frames:
        return fitted(self.video, self.fit)

    @property
    def mattes(self) -> Mattes:
        assert self.selected is not None
        return self.selected

    @property
    def whole(self) -> range:
        return range(self.video.count)


@dataclass(frozen=True)
class Made:
    """frames: Filled-up ones may follow. measurements, warnings: See edit_by_words."""

    frames: Frames
    measurements: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def make(asked: Asked) -> Made:
    """Raises: Cancelled or Paused; UserError."""
    return _WAYS[asked.request.mode](asked)


def _by_words(asked: Asked) -> Made:
    made = edit_by_words(asked.family, asked.request, asked.fit, asked.frames, asked.context)
    return Made(made.frames, made.measurements, made.warnings)


def _restyled(asked: Asked) -> Made:
    return Made(restyle_clip(asked.family, asked.request, asked.frames[: asked.fit.count], asked.context))


def _following(asked: Asked) -> Made:
    shown = shown_frames(asked.request, asked.video, asked.fit, asked.selected)
    return Made(follow_clip(asked.family, asked.request, asked.fit.geometry, shown, asked.context))


def _region(asked: Asked) -> Made:
    masks = fitted_masks(asked.mattes.mattes(asked.whole), asked.fit)
    return Made(make_region(asked.family, asked.request, asked.fit.geometry, asked.frames, masks, asked.context))


def _extended(asked: Asked) -> Made:
    inside = inside_canvas(asked.video, asked.fit)
    return Made(make_region(asked.family, asked.request, asked.fit.geometry, *inside, asked.context))


def _finished(asked: Asked) -> Made:
    request, fit, move, mattes = asked.request, asked.fit, move_of(asked.request, asked.video), asked.mattes
    arranged = fitted(rearranged(request, asked.video, mattes), fit)
    nothing = np.zeros(arranged.shape[:3], np.float32)
    stays = move is not None and move.copy
    holes = nothing if stays else fitted_masks(unseen(asked.video, mattes, asked.whole), fit)
    now = nothing if move is None else fitted_masks(moved_mattes(mattes, move, asked.whole), fit)
    return Made(finish_clip(asked.family, request, fit.geometry, asked.frames, arranged, holes, now, asked.context))


_WAYS: dict[Mode, Callable[[Asked], Made]] = {
    "words": _by_words,
    "restyle": _restyled,
    "follow": _following,
    "region": _region,
    "extend": _extended,
    "remove": _finished,
    "move": _finished,
}
