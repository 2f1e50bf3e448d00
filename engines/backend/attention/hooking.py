"""Puts hooks into a model's attention layers and takes them out again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn

from engines.backend.attention.processors import PROCESSORS
from engines.backend.attention.watch import Watch

# Layers of the blocks proper; a text refiner's attention is another thing.
_ATTENTION = re.compile(r"(?:transformer_)?blocks\.(\d+)\.attn\d?")


def attention_layers(model: nn.Module) -> Iterator[tuple[int, Any]]:
    """(index of the block, attention module) in the order of the blocks."""
    for name, module in model.named_modules():
        found = _ATTENTION.fullmatch(name)
        if found:
            yield int(found[1]), module


@contextmanager
def hooked(family: str, models: Sequence[nn.Module], watch: Watch) -> Iterator[None]:
    """While it is entered, the models' layers go through the watch's hooks.

    Raises: ValueError for a model without attention layers of the known names.
    """
    kept = []
    try:
        for model in models:
            layers = list(attention_layers(model))
            if not layers:
                raise ValueError(f"{type(model).__name__} has no attention layers that are known")
            for layer, module in layers:
                kept.append((module, module.processor))
                module.set_processor(PROCESSORS[family](watch, layer))
        yield
    finally:
        for module, processor in kept:
            module.set_processor(processor)
