"""The size that a model takes for footage of some shape. No torch here."""

from __future__ import annotations

import math

from engines.backend.catalogue import ModelCard


def size_like(shape: float, card: ModelCard) -> tuple[int, int]:
    """(height, width): the trained size of the nearest shape, else the model's own area in this one.

    Args:
        shape: Width / height.
    """
    if card.trained_sizes:
        best = min(card.trained_sizes, key=lambda size: abs(math.log(size.width / size.height / shape)))
        return best.height, best.width
    multiple, area = card.facts.size_multiple, card.defaults.width * card.defaults.height
    width, height = math.sqrt(area * shape), math.sqrt(area / shape)
    return max(multiple, round(height / multiple) * multiple), max(multiple, round(width / multiple) * multiple)
