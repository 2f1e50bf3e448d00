"""One attention of one layer, as hooks see it.

Shape legend: B batch, Q queries, K keys, A heads, E values of a head; tokens of the video are in order (t, h, w).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from engines.sampling.site import Site

# "self": video to video. "cross": video to prompt. "picture": video to an image encoder's tokens. "joint": video and
# prompt in one sequence.
Kind = Literal["self", "cross", "picture", "joint"]


@dataclass(frozen=True)
class Layout:
    """What the rows of q, and for "self" and "joint" those of k and v, stand for.

    Attributes:
        video: The video's tokens.
        text: The prompt's tokens; None where they are not in this sequence.
        grid: T', H', W' of the video's tokens, patches of the model. Tokens beyond it may follow within `video`.
    """

    video: slice
    text: slice | None
    grid: tuple[int, int, int]


@dataclass(frozen=True)
class AttentionInputs:
    """What is attended with.

    Attributes:
        query: [B, Q, A, E]. key, value: [B, K, A, E]. With rotary positions in them already.
        mask: Added to the scores, or bool where True lets through; broadcasts to [B, A, Q, K]. None lets all through.
        bare_query, bare_key: Before their positions were turned into them, where a family can turn others (`turned`).
    """

    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    bare_key: Tensor | None = None
    bare_query: Tensor | None = None


@dataclass(frozen=True)
class AttentionCall:
    """Where it happens.

    Attributes:
        at: The model call, with the number of the layer.
    """

    at: Site
    kind: Kind
    layout: Layout


class AttentionHook(Protocol):
    """Reads what passes, changes it, or calls on with something else."""

    def __call__(
        self, call: AttentionCall, inputs: AttentionInputs, call_next: Callable[[AttentionInputs], Tensor]
    ) -> Tensor:
        """The answer, [B, Q, A, E]."""


def attend(inputs: AttentionInputs) -> Tensor:
    """softmax(q·kᵀ/√E + mask)·v, [B, Q, A, E]."""
    query, key, value = (part.transpose(1, 2) for part in (inputs.query, inputs.key, inputs.value))
    answer = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=inputs.mask)
    return answer.transpose(1, 2)


def through(hooks: Sequence[AttentionHook], call: AttentionCall, inputs: AttentionInputs) -> Tensor:
    """The hooks one within the other, the first outermost, and attention itself innermost."""
    if not hooks:
        return attend(inputs)
    return hooks[0](call, inputs, lambda changed: through(hooks[1:], call, changed))
