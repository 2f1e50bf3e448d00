"""Keeps the parts of a model where a plan says, and goes over to the next plan when memory runs out all the same."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import torch

from engines.backend.memory.allocator import give_back_freed_memory
from engines.backend.memory.feed_forward import in_pieces
from engines.backend.memory.holder import ModulePart, Part
from engines.backend.memory.meter import is_out_of_memory
from engines.backend.memory.plan import MemoryPlan, Placement
from engines.backend.memory.small_weights import WeightFormat
from engines.backend.step_cache.caching import forget
from engines.errors import ResourceError

PartName = Literal["text_encoder", "image_encoder", "transformer", "transformer_2", "autoencoder"]
T = TypeVar("T")
_LOG = logging.getLogger(__name__)


class Residence:
    """Where a model's parts are.

    Args:
        parts: All of them; of a model without a second expert there is no transformer_2.

    Attributes:
        plan: In force; None as long as everything is resident because nobody asked for less.
        changes: Sentences on what had to be given up.
    """

    def __init__(self, parts: Mapping[PartName, Part]) -> None:
        self._parts = parts
        self._transformers = [
            part for name in ("transformer", "transformer_2") if isinstance(part := parts.get(name), ModulePart)
        ]
        self._autoencoder = parts.get("autoencoder")
        self._next: list[MemoryPlan] = []
        self.plan: MemoryPlan | None = None
        self.changes: list[str] = []

    def follow(self, plans: Sequence[MemoryPlan]) -> None:
        """Lays the parts as the first plan says; the others are for when memory runs out, in their order."""
        if not plans:
            raise ValueError("there is no plan to follow")
        plan, *self._next = plans
        self._apply(plan)

    def run(self, part: PartName, call: Callable[[], T], alone: bool = True) -> T:
        """Calls with the part on the device; after an out-of-memory error once more under the next plan.

        Args:
            alone: Whether parts that the plan does not let stay go for it. False for a short look in between.

        Raises: ResourceError once no plan is left.
        """
        while True:
            try:
                self._enter(part, alone)
                return call()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                said = str(error)
            # Outside of the handler: the error holds the frames, and these hold the tensors that are too many.
            self._give_way(said)

    def _give_way(self, said: str) -> None:
        _LOG.warning("Out of memory: %s", said)
        self.release()
        for part in self._transformers:
            forget(part.module)
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if not self._next:
            raise ResourceError(
                "Memory ran out, and no plan needs less than the one that was tried.",
                "Choose a smaller size, fewer frames or a smaller model, or close other programs.",
                field="model",
            )
        plan, *self._next = self._next
        self.changes.append(f"Memory ran out; the run went on with another plan. {plan.sentences()[0]}")
        self._apply(plan)

    def _apply(self, plan: MemoryPlan) -> None:
        """Nothing of an earlier plan is left: the same job gives the same frames, whatever ran before it."""
        self.plan = plan
        give_back_freed_memory(plan.placement is not Placement.RESIDENT or plan.weights is not WeightFormat.AS_COMPUTED)
        for part in self._transformers:
            part.lay(plan.placement is Placement.BLOCK_BY_BLOCK, plan.weights)
            in_pieces(part.module, plan.feed_forward_pieces)
        if isinstance(self._autoencoder, ModulePart) and hasattr(self._autoencoder.module, "enable_tiling"):
            autoencoder: Any = self._autoencoder.module
            autoencoder.enable_tiling() if plan.tiled else autoencoder.disable_tiling()

    def release(self) -> None:
        """Everything leaves the device; what is wanted next comes back by itself."""
        for part in self._parts.values():
            part.release()

    def _enter(self, part: PartName, alone: bool) -> None:
        if alone:
            for name, other in self._parts.items():
                if name != part and not self._may_stay(name):
                    other.release()
        self._parts[part].bring()

    def _may_stay(self, part: PartName) -> bool:
        if self.plan is None or self.plan.placement is Placement.RESIDENT:
            return True
        return self.plan.placement is Placement.TEXT_RELEASED and part not in ("text_encoder", "image_encoder")
