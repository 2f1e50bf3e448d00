"""Which implementation computes attention: FRAMEWRIGHT_ATTENTION names one of diffusers' attention backends.

A property of the machine, as the precision is: the same request gives the same frames on it as long as it stays.
"""

from __future__ import annotations

import os
from typing import Any

from engines.errors import NotAvailable

ENVIRONMENT = "FRAMEWRIGHT_ATTENTION"
FETCHED = "_hub"  # such kernels are code from the hub; nothing is fetched by itself


def use_wanted_kernel(transformer: Any) -> None:
    """Sets what the environment asks for; PyTorch's own scaled dot product attention where it asks for nothing.

    Raises: NotAvailable for an unknown backend, or one whose package or hardware is missing.
    """
    name = os.environ.get(ENVIRONMENT, "").strip().lower()
    if not name:
        return
    known = kernels()
    if name not in known:
        raise NotAvailable(
            f"{ENVIRONMENT}={name} is no attention backend.",
            f"Use one of {', '.join(known)}, or take the variable away.",
            field="model",
        )
    try:
        transformer.set_attention_backend(name)
    except (ImportError, RuntimeError, ValueError) as error:
        raise NotAvailable(
            f"{ENVIRONMENT}={name} cannot be used here: {str(error).splitlines()[0]}",
            "Install the package that it names, or take the variable away.",
            field="model",
        ) from error


def kernels() -> list[str]:
    """Names that may be asked for."""
    from diffusers.models.attention_dispatch import AttentionBackendName

    return sorted(one.value for one in AttentionBackendName if not one.value.endswith(FETCHED))
