"""Blocks that run compiled (torch.compile, block by block): FRAMEWRIGHT_COMPILE names the compiler, such as `inductor`.

A property of the machine, as the precision is. On the CPU it is worth little (docs/LOG.md); what it brings on CUDA is
untested here: benchmarks.backend --device cuda would show it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakSet

import torch
from torch import nn

from engines.backend.blocks import block_lists
from engines.backend.memory.plan import MemoryPlan, Placement
from engines.backend.memory.small_weights import WeightFormat
from engines.errors import NotAvailable

ENVIRONMENT = "FRAMEWRIGHT_COMPILE"
_compiled: WeakSet[nn.Module] = WeakSet()


def wanted_compiler() -> str | None:
    """What the environment asks for. Raises: NotAvailable for a compiler that torch does not know."""
    name = os.environ.get(ENVIRONMENT, "").strip().lower()
    if name in ("", "0"):
        return None
    known = [str(one) for one in torch.compiler.list_backends(exclude_tags=())]
    if name not in known:
        raise NotAvailable(
            f"{ENVIRONMENT}={name} is no compiler of torch.compile.",
            f"Use one of {', '.join(known)}, or take the variable away.",
            field="model",
        )
    return name


def why_not_compiled(plan: MemoryPlan) -> str:
    """Why a job runs uncompiled though it is wanted: its weights are not simply there; "" if it need not."""
    if plan.placement is Placement.BLOCK_BY_BLOCK or plan.weights is not WeightFormat.AS_COMPUTED:
        return "To fit into memory the model's weights come and go, so its blocks run uncompiled."
    return ""


@contextmanager
def compiled(transformers: Sequence[nn.Module], compiler: str | None) -> Iterator[None]:
    """While it is entered, the transformers' blocks run compiled, or, with None, as they are written.

    What was compiled once is kept; the first call of each shape takes half a minute.
    """
    if compiler is None:
        with torch.compiler.set_stance("force_eager" if _compiled else "default"):
            yield
        return
    blocks = [block for transformer in transformers for _, several in block_lists(transformer) for block in several]
    for block in blocks:
        if block not in _compiled:
            block.compile(backend=compiler)
            _compiled.add(block)
    yield
