"""The flow network from its file."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file

from engines.interpolation.network import FlowNetwork


def load_flow_network(path: Path) -> FlowNetwork:
    """In float32 and channels-last order, for inference."""
    network = FlowNetwork()
    network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return network.eval().requires_grad_(False)
