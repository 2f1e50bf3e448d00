"""Dense optical flow between two frames, and warping along it.

Shape legend: H rows, W columns. Flow is float32 [H, W, 2] in pixels (x right, y down), from a pixel of `a` to
where it is in `b`.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engines.errors import MediaError

Flow = npt.NDArray[np.float32]
# DIS matches 8-pixel patches on a pyramid; below this side it has no level to start from.
SMALLEST_SIDE = 16


def optical_flow(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> Flow:
    """Flow from `a` to `b` by dense inverse search (DIS).

    Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search".

    Args:
        a, b: uint8 [H, W, 3] RGB or [H, W] grey, of equal shape, at least 16 × 16.

    Returns: float32 [H, W, 2] in pixels; b(x + flow(x)) shows what a(x) shows.
    Raises: MediaError if the frames differ in shape, are too small or are not uint8.
    """
    for frame in (a, b):
        if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or (frame.ndim == 3 and frame.shape[2] != 3):
            raise MediaError(
                f"Optical flow was asked of an array {frame.dtype} {list(frame.shape)}.",
                "Give uint8 frames [H, W, 3] or [H, W].",
                field="frames",
            )
    if a.shape != b.shape or min(a.shape[:2]) < SMALLEST_SIDE:
        raise MediaError(
            f"Optical flow was asked of frames {list(a.shape)} and {list(b.shape)}.",
            f"Give two frames of equal shape, of at least {SMALLEST_SIDE} × {SMALLEST_SIDE} pixels.",
            field="frames",
        )
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # None: no flow to start from; OpenCV's stubs do not know it.
    return np.asarray(search.calc(_grey(a), _grey(b), None), dtype=np.float32)  # type: ignore[call-overload]


def warp(frame: npt.NDArray[np.uint8] | npt.NDArray[np.float32], flow: Flow) -> npt.NDArray[np.float32]:
    """Looks `frame` up where the flow points (backward warping, bilinear; outside the frame its edge is repeated).

    Args:
        frame: [H, W] or [H, W, C], uint8 or float32.
        flow: float32 [H, W, 2] in pixels, from the wanted picture to `frame`.

    Returns: float32, shaped like `frame`: result(x) = frame(x + flow(x)).
    """
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    looked_up = cv2.remap(
        frame.astype(np.float32), x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(looked_up, dtype=np.float32)


def visible_in_both(forward: Flow, backward: Flow) -> npt.NDArray[np.bool_]:
    """Where a pixel of the first frame is seen in the second one too.

    Forward and backward flow must cancel: |f + b(x + f)|² < 0.01 (|f|² + |b(x + f)|²) + 0.5
    (Sundaram, Brox, Keutzer 2010, "Dense point trajectories by GPU-accelerated large displacement optical flow").

    Args:
        forward, backward: float32 [H, W, 2] in pixels, first → second and second → first.

    Returns: bool [H, W]; False also where the flow leaves the frame.
    """
    returned = warp(backward, forward)
    residue = np.square(forward + returned).sum(-1)
    size = np.square(forward).sum(-1) + np.square(returned).sum(-1)
    height, width = forward.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    to_x, to_y = x + forward[..., 0], y + forward[..., 1]
    inside = (to_x >= 0) & (to_x <= width - 1) & (to_y >= 0) & (to_y <= height - 1)
    return np.asarray((residue < 0.01 * size + 0.5) & inside)


def _grey(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)) if frame.ndim == 3 else frame
