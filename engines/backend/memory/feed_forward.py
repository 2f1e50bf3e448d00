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
    answer: Tensor | None = None
    done = 0
    for piece in hidden_states.chunk(pieces, dim=1):
        made = whole(piece, *args, **kwargs)
        if answer is None:  # a projection may be wider or narrower than what it is given
            answer = made.new_empty(*hidden_states.shape[:-1], made.shape[-1])
        answer[:, done : done + piece.shape[1]] = made
        done += piece.shape[1]
    assert answer is not None
    return answer
