"""Hooks that several methods share: reading, further keys, masks.

Shape legend: B batch, Q queries, K keys, R further keys, A heads, E values of a head.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engines.backend.attention.calls import AttentionCall, AttentionInputs, Kind, attend
from engines.backend.attention.feature_store import FeatureStore, When, by_sigma
from engines.sampling.site import Site

Next = Callable[[AttentionInputs], Tensor]


@dataclass(frozen=True)
class Where:
    """Which attentions a hook is about; None means all.

    Attributes:
        layers: Indices of blocks. intervals: Of steps.
    """

    kinds: Collection[Kind] = ("self", "joint")
    layers: Collection[int] | None = None
    intervals: Collection[int] | None = None
    branches: Collection[str] | None = None

    def __contains__(self, call: AttentionCall) -> bool:
        return (
            call.kind in self.kinds
            and (self.layers is None or call.at.layer in self.layers)
            and (self.intervals is None or call.at.interval in self.intervals)
            and (self.branches is None or call.at.branch in self.branches)
        )


@dataclass(frozen=True)
class Keep:
    """Puts what passes into a store, and changes nothing.

    Attributes:
        names: Of "query", "key", "bare_query", "bare_key", "value", "answer"; what a call has not is left out.
        when: How the store tells moments of the run apart.
    """

    store: FeatureStore
    where: Where = Where()
    names: Collection[str] = ("query", "key", "value", "answer")
    when: Callable[[Site], When] = by_sigma

    def __call__(self, call: AttentionCall, inputs: AttentionInputs, call_next: Next) -> Tensor:
        answer = call_next(inputs)
        if call in self.where:
            seen = {**vars(inputs), "answer": answer}
            for name in self.names:
                if seen[name] is not None:
                    self.store.put(call.at, call.kind, name, seen[name], self.when)
        return answer


@dataclass(frozen=True)
class Recall:
    """Puts what another pass kept of the video's tokens in the place of the layer's own (RF-Edit: values).

    Moments that the other pass did not see stay as they are. One row that was kept serves every row of a batch.

    Attributes:
        names: Of "query", "key", "value".
        share: 1 replaces, below it is a mix with the layer's own.
        tokens: bool [N] of the video's tokens, True where it is recalled; None everywhere.
        branch: Of the guidance, in the other pass.
        when: As the store was filled.
    """

    store: FeatureStore
    where: Where = Where()
    names: Collection[str] = ("value",)
    share: float = 1.0
    tokens: Tensor | None = None
    branch: str = "cond"
    when: Callable[[Site], When] = by_sigma

    def __call__(self, call: AttentionCall, inputs: AttentionInputs, call_next: Next) -> Tensor:
        if call not in self.where:
            return call_next(inputs)
        there = replace(call.at, branch=self.branch)
        changed = {
            name: self._mixed(self.store.get(there, call.kind, name, own, self.when), own, call.layout.video)
            for name in self.names
            if self.store.has(there, call.kind, name, self.when) and (own := getattr(inputs, name)) is not None
        }
        return call_next(replace(inputs, **changed))

    def _mixed(self, kept: Tensor, own: Tensor, video: slice) -> Tensor:
        before = own[:, video]
        mixed = torch.lerp(before, kept[:, video].expand_as(before), self.share)
        if self.tokens is not None:
            mixed = torch.where(self.tokens.to(own.device)[:, None, None], mixed, before)
        changed = own.clone()
        changed[:, video] = mixed
        return changed


@dataclass(frozen=True)
class FurtherKeys:
    """Keys and values beside the layer's own: references, memories, another pass.

    Attributes:
        further: Call → key, value [B, R, A, E] with their positions in them, or None where there are none.
        gate: With None the further keys stand in the same softmax as the layer's own. A number attends to them apart
            and adds the answer so many times (decoupled attention).
        mask: bool [R], which of them are let through; None lets all.
        heads: Which heads see them; None all. The others answer as without.
    """

    further: Callable[[AttentionCall], tuple[Tensor, Tensor] | None]
    where: Where = Where()
    gate: float | None = None
    mask: Tensor | None = None
    heads: Collection[int] | None = None

    def __call__(self, call: AttentionCall, inputs: AttentionInputs, call_next: Next) -> Tensor:
        beside = self.further(call) if call in self.where else None
        if beside is None:
            return call_next(inputs)
        key, value = beside
        if self.mask is not None:
            key, value = key[:, self.mask], value[:, self.mask]
        if self.gate is not None:
            apart = self.gate * attend(AttentionInputs(inputs.query, key, value, None))
            return call_next(inputs) + self._for_heads(apart, torch.zeros_like(apart))
        joint = replace(
            inputs,
            key=torch.cat([inputs.key, key], dim=1),
            value=torch.cat([inputs.value, value], dim=1),
            mask=_widened(inputs.mask, key.shape[1]),
        )
        changed = call_next(joint)
        return changed if self.heads is None else self._for_heads(changed, call_next(inputs))

    def _for_heads(self, seeing: Tensor, others: Tensor) -> Tensor:
        if self.heads is None:
            return seeing
        chosen = torch.zeros(seeing.shape[2], dtype=torch.bool, device=seeing.device)
        chosen[list(self.heads)] = True
        return torch.where(chosen[:, None], seeing, others)


@dataclass(frozen=True)
class MaskKeys:
    """Adds to the scores of some pairs.

    Attributes:
        scores: Call → what is added, broadcasting to [B, A, Q, K], −∞ to hide; None changes nothing.
    """

    scores: Callable[[AttentionCall, AttentionInputs], Tensor | None]
    where: Where = Where()

    def __call__(self, call: AttentionCall, inputs: AttentionInputs, call_next: Next) -> Tensor:
        further = self.scores(call, inputs) if call in self.where else None
        if further is None:
            return call_next(inputs)
        mask = inputs.mask
        if mask is not None and mask.dtype is torch.bool:
            mask = torch.zeros_like(mask, dtype=inputs.query.dtype).masked_fill(~mask, -torch.inf)
        return call_next(replace(inputs, mask=further.to(inputs.query) if mask is None else mask + further))


def _widened(mask: Tensor | None, further: int) -> Tensor | None:
    """The mask for so many keys more, all of which are let through."""
    if mask is None:
        return None
    through = 1 if mask.dtype is torch.bool else 0
    return torch.nn.functional.pad(mask, (0, further), value=through)
