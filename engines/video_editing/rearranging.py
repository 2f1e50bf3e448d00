"""What is done with a selected thing in pixels alone: another background behind it, taken away, put elsewhere."""

from __future__ import annotations

from engines.footage.footage import Footage
from engines.selection.background import Mattes
from engines.video_editing.backgrounds import Composited, behind_of
from engines.video_editing.objects import Move, Rearranged
from engines.video_editing.request import VideoEditingRequest


def rearranged(request: VideoEditingRequest, source: Footage, mattes: Mattes) -> Footage:
    """The stage that does it."""
    if request.mode == "background":
        return Composited(source, mattes, behind_of(request, source))
    return Rearranged(source, mattes, move_of(request, source))


def move_of(request: VideoEditingRequest, source: Footage) -> Move | None:
    """In the source's pixels; None where the thing is taken away."""
    if request.mode != "move":
        return None
    right, down = request.move_right * source.width, request.move_down * source.height
    return Move(right, down, request.scale, request.copy_thing)
