"""Which network a safetensors file is of, told from the names and shapes in its header alone. No torch here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from safetensors import SafetensorError, safe_open

from engines.errors import InvalidRequest

SUPPORTED = "SRVGGNetCompact (realesr-animevideov3, realesr-general) and RRDBNet (ESRGAN, Real-ESRGAN), as .safetensors"
# What training frameworks put in front of every name.
PREFIXES = ("params_ema.", "params.", "module.", "model.")
LARGEST_BYTES = 2 * 2**30
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Compact:
    """SRVGGNetCompact: `width` channels, `depth` convolutions between the first and the last, `scale` times larger."""

    width: int
    depth: int
    scale: int


@dataclass(frozen=True)
class Large:
    """RRDBNet: `width` channels, `blocks` of growth `growth`, `scale` times larger."""

    width: int
    blocks: int
    growth: int
    scale: int


def read_architecture(path: Path, field: str | None = None) -> Compact | Large:
    """The architecture of a file whose tensors are not read.

    Args:
        field: Name of the request field that the file came in, for messages.

    Raises: InvalidRequest if the file is not safetensors, or not of an architecture that is known.
    """
    _check_file(path, field)
    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise unknown(path, f"it cannot be read ({error})", field) from None
    found = recognise(without_prefix(shapes))
    if found is None:
        raise unknown(path, f"its {len(shapes)} parameters are of another architecture", field)
    return found


def recognise(shapes: Shapes) -> Compact | Large | None:
    """The architecture that these parameters are of, None if it is not supported."""
    if {"conv_first.weight", "conv_last.weight", "body.0.rdb1.conv1.weight"} <= shapes.keys():
        return _large(shapes)
    if {"body.0.weight", "body.1.weight"} <= shapes.keys() and "conv_first.weight" not in shapes:
        return _compact(shapes)
    return None


def without_prefix(named: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The same without what a training framework put in front of every name."""
    prefix = prefix_of(named)
    return {name.removeprefix(prefix): value for name, value in named.items()}


def prefix_of(named: Mapping[str, object]) -> str:
    """What stands in front of every name, "" for nothing that is known."""
    return next((one for one in PREFIXES if named and all(name.startswith(one) for name in named)), "")


def unknown(path: Path, reason: str, field: str | None) -> InvalidRequest:
    """What is said of a file that is of no network."""
    return InvalidRequest(
        f"“{path.name}” is no network that can be used here: {reason}.", f"Choose {SUPPORTED}.", field
    )


def _compact(shapes: Shapes) -> Compact | None:
    convolutions = [name for name in shapes if re.fullmatch(r"body\.\d+\.weight", name) and len(shapes[name]) == 4]
    if len(convolutions) < 2:
        return None
    last = shapes[max(convolutions, key=lambda name: int(name.split(".")[1]))][0]
    scale = round((last / 3) ** 0.5)
    if 3 * scale * scale != last or scale not in (1, 2, 3, 4):
        return None
    return Compact(shapes["body.0.weight"][0], len(convolutions) - 2, scale)


def _large(shapes: Shapes) -> Large | None:
    if len(shapes["conv_first.weight"]) != 4:
        return None
    width, inputs = shapes["conv_first.weight"][:2]
    scale = {3: 4, 12: 2, 48: 1}.get(inputs)
    blocks = {name.split(".")[1] for name in shapes if name.startswith("body.")}
    return None if scale is None else Large(width, len(blocks), shapes["body.0.rdb1.conv1.weight"][0], scale)


def _check_file(path: Path, field: str | None) -> None:
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
