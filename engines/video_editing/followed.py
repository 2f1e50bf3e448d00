"""What a new clip is to follow of this one: its edges, the depth that somebody brings, the shape of what is selected.

No torch here, so that the page can show it. Shape legend: T frames, H rows, W columns of the model's clip.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from engines.errors import InvalidRequest
from engines.footage.alignment import eight_bit
from engines.footage.beside import FrameByFrame
from engines.footage.footage import Footage, Frame
from engines.media.limits import Limits
from engines.selection.background import Mattes
from engines.video_editing.fitting import Fit, Frames, fitted, fitted_frames, fitted_masks
from engines.video_editing.request import VideoEditingRequest

# Of the gradient, on which an edge begins and down to which it is followed: those of controlnet-aux.
LOW, HIGH = 100, 200


def shown_frames(request: VideoEditingRequest, source: Footage, fit: Fit, selected: Mattes | None) -> Frames:
    """What the model is shown, uint8 [T, H, W, 3].

    Args:
        selected: Where the thing is whose shape is followed.

    Raises: as depth_of.
    """
    if request.follow == "edges":
        return np.stack([edges(frame) for frame in fitted(source, fit)])
    if request.follow == "depth":
        depth = depth_of(request, source).frames(range(source.count))
        return _spread(fitted_frames((_grey(frame) for frame in depth), fit))
    assert selected is not None
    return _spread(fitted_masks(selected.mattes(range(source.count)), fit))


def edges(frame: Frames) -> Frames:
    """Canny's edges, white on black, uint8 [H, W, 3]; as engines.conditioning.annotators.canny finds them.

    That one brings torch along, which the page never loads.
    """
    height, width = frame.shape[:2]
    padded = cv2.copyMakeBorder(frame, 0, -height % 64, 0, -width % 64, cv2.BORDER_REPLICATE)
    return np.repeat(np.asarray(cv2.Canny(padded, LOW, HIGH), np.uint8)[:height, :width, None], 3, axis=-1)


def depth_of(request: VideoEditingRequest, source: Footage) -> FrameByFrame:
    """Raises: InvalidRequest where there is none, or of another size or length; MediaError."""
    if request.depth is None:
        raise InvalidRequest(
            "There is no depth to follow.", "Bring a video of the depth, near in white, or follow the edges.", "depth"
        )
    return FrameByFrame(request.depth, source, "depth", "depth", Limits())


def _grey(frame: Frame) -> Frames:
    grey = np.rint(eight_bit(frame).astype(np.float32).mean(-1)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def _spread(shown: Frames | Iterable[float]) -> Frames:
    """From black to white, as the model learnt it; float32 masks 0 … 1 become greys."""
    values = np.asarray(shown, np.float32)
    low, high = float(values.min()), float(values.max())
    grey = np.rint((values - low) / max(high - low, 1e-6) * 255).astype(np.uint8)
    return grey if grey.ndim == 4 else np.repeat(grey[..., None], 3, axis=-1)
