"""How well the edges of one clip lie on those of another.

Shape legend: T frames, H rows, W columns; edges bool [T, H, W].
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engines.errors import InvalidRequest

Edges = npt.NDArray[np.bool_]


def edge_f1(found: Edges, wanted: Edges, tolerance: int = 1) -> float:
    """Harmonic mean of how much of what was found is wanted and how much of what is wanted was found, 0 … 1.

    An edge counts if the other clip has one within `tolerance` pixels in the same frame. 1 where neither has any.

    Raises: InvalidRequest if the shapes differ.
    """
    if found.shape != wanted.shape or found.ndim != 3:
        raise InvalidRequest(
            f"Edges {list(found.shape)} were compared with edges {list(wanted.shape)}.",
            "Give two clips of the same length and size, [T, H, W].",
            field="found",
        )
    if not found.any() and not wanted.any():
        return 1.0
    near_found, near_wanted = (_widened(edges, tolerance) for edges in (found, wanted))
    precision = (found & near_wanted).sum() / max(1, found.sum())
    recall = (wanted & near_found).sum() / max(1, wanted.sum())
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def _widened(edges: Edges, by: int) -> Edges:
    kernel = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    return np.stack([cv2.dilate(frame.astype(np.uint8), kernel) > 0 for frame in edges])
