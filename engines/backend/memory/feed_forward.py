"""Feed-forward layers that work through their tokens piece by piece: the wide middle is never there as a whole.

Shape legend: hidden states [B, N, D].
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor


def in_pieces(model: torch.nn.Module, pieces: int) -> None:
    """Lets every feed-forward of the model compute N tokens in so many pieces; 1 undoes it.

    Each token is computed as before: only the order of sums inside a matrix product may differ.
    """
    from diffusers.models.attention import FeedForward

    for layer in model.modules():
        if isinstance(layer, FeedForward):
            layer.__dict__.pop("forward", None)
            if pieces > 1:
                layer.forward = partial(_piece_by_piece, layer.forward, pieces)


def _piece_by_piece(whole: Any, pieces: int, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    answer = torch.empty_like(hidden_states)
    for piece, place in zip(hidden_states.chunk(pieces, dim=1), answer.chunk(pieces, dim=1), strict=True):
        place.copy_(whole(piece, *args, **kwargs))
    return answer
