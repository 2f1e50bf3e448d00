"""From a safetensors file to the network that it is of."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from engines.super_resolution.architecture import Compact, prefix_of, read_architecture, unknown
from engines.super_resolution.networks import CompactNetwork, LargeNetwork, Network


def load_network(path: Path, field: str | None = None) -> Network:
    """The network of this file, its weights in float32.

    Args:
        field: Name of the request field that the file came in, for messages.

    Raises: InvalidRequest if the file is not safetensors, or not of an architecture that is known.
    """
    network = _empty_network(path, field)
    tensors = load_file(path)
    prefix = prefix_of(tensors)
    try:
        network.load_state_dict({name.removeprefix(prefix): value.float() for name, value in tensors.items()})
    except RuntimeError as error:
        raise unknown(path, str(error).splitlines()[-1].strip(), field) from None
    if not all(bool(torch.isfinite(one).all()) for one in network.parameters()):
        raise unknown(path, "it holds numbers that are not finite (NaN)", field)
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _empty_network(path: Path, field: str | None) -> Network:
    found = read_architecture(path, field)
    if isinstance(found, Compact):
        return CompactNetwork(found.width, found.depth, found.scale)
    return LargeNetwork(found.width, found.blocks, found.growth, found.scale)
