"""From a safetensors file to the network that it is of: recognised by the names and shapes of its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engines.errors import InvalidRequest
from engines.super_resolution.networks import CompactNetwork, LargeNetwork, Network

SUPPORTED = "SRVGGNetCompact (realesr-animevideov3, realesr-general) and RRDBNet (ESRGAN, Real-ESRGAN), as .safetensors"
# What training frameworks put in front of every name.
PREFIXES = ("params_ema.", "params.", "module.", "model.")
LARGEST_BYTES = 2 * 2**30


def load_network(path: Path, field: str | None = None) -> Network:
    """The network of this file, its weights in float32.

    Args:
        field: Name of the request field that the file came in, for messages.

    Raises: InvalidRequest if the file is not safetensors, or not of an architecture that is known.
    """
    tensors = _read(path, field)
    network = recognise(tensors)
    if network is None:
        raise _unknown(path, f"its {len(tensors)} parameters are of another architecture", field)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise _unknown(path, str(error).splitlines()[-1].strip(), field) from None
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def recognise(tensors: Mapping[str, Tensor]) -> Network | None:
    """An empty network into which these parameters fit, None if they are of no supported architecture."""
    if {"conv_first.weight", "conv_last.weight", "body.0.rdb1.conv1.weight"} <= tensors.keys():
        return _large(tensors)
    if {"body.0.weight", "body.1.weight"} <= tensors.keys() and "conv_first.weight" not in tensors:
        return _compact(tensors)
    return None


def _compact(tensors: Mapping[str, Tensor]) -> Network | None:
    convolutions = [name for name in tensors if re.fullmatch(r"body\.\d+\.weight", name) and tensors[name].dim() == 4]
    last = tensors[max(convolutions, key=lambda name: int(name.split(".")[1]))]
    scale = round((last.shape[0] / 3) ** 0.5)
    if 3 * scale * scale != last.shape[0] or scale not in (1, 2, 3, 4):
        return None
    return CompactNetwork(tensors["body.0.weight"].shape[0], len(convolutions) - 2, scale)


def _large(tensors: Mapping[str, Tensor]) -> Network | None:
    width, inputs = tensors["conv_first.weight"].shape[:2]
    scale = {3: 4, 12: 2, 48: 1}.get(inputs)
    blocks = {name.split(".")[1] for name in tensors if name.startswith("body.")}
    return (
        None if scale is None else LargeNetwork(width, len(blocks), tensors["body.0.rdb1.conv1.weight"].shape[0], scale)
    )


def _read(path: Path, field: str | None) -> dict[str, Tensor]:
    if path.suffix.lower() != ".safetensors":
        raise InvalidRequest(
            f"“{path.name}” is not a .safetensors file; other formats can run code when they are opened.",
            f"Choose weights of {SUPPORTED}.",
            field,
        )
    if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
        raise InvalidRequest(
            f"“{path.name}” is not there, or larger than {LARGEST_BYTES >> 30} GB.",
            f"Choose weights of {SUPPORTED}.",
            field,
        )
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise _unknown(path, f"it cannot be read ({error})", field) from None
    for prefix in PREFIXES:
        if tensors and all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors


def _unknown(path: Path, reason: str, field: str | None) -> InvalidRequest:
    return InvalidRequest(
        f"“{path.name}” is no network that can be used here: {reason}.", f"Choose {SUPPORTED}.", field
    )
