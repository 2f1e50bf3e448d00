"""Where in a run a model call happens. Plain data that travels beside the tensors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    """The address of one model call.

    Attributes:
        interval: Index of the schedule interval, 0 … steps − 1.
        stage: Which evaluation inside the interval, 0-based; second-order solvers evaluate twice.
        sigma: The noise level evaluated on generated tokens, 0 … 1: the largest over the tokens.
        branch: Name of the guidance branch: "cond", "uncond".
        window: Chunk of a long video, 0 where there is only one.
        layer: Index of the transformer block for hooks inside the model, None at model level.
    """

    interval: int
    stage: int
    sigma: float
    branch: str = "cond"
    window: int = 0
    layer: int | None = None
