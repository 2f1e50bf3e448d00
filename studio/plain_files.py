"""Files that are checked when they come and opened by the engine alone: weights, and sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engines.composition.storyboard.music import read_sound
from engines.errors import InvalidRequest

SUFFIX = ".safetensors"
# A safetensors file begins with the length of its header, eight bytes, and the header, which is JSON.
LENGTH_BYTES = 8
Check = Callable[[Path, str], None]


def check_weights(path: Path, field: str) -> None:
    """Raises: InvalidRequest if the file is not of safetensors. Nothing in it is run; its tensors are judged later."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        begins = file.read(1)
    whole = path.suffix.lower() == SUFFIX and begins == b"{" and 2 <= length <= path.stat().st_size - LENGTH_BYTES
    if not whole:
        raise InvalidRequest(
            f"“{path.name}” is not a file of safetensors.",
            f"Choose weights that were saved as {SUFFIX}; other formats can hold programs and are not opened.",
            field,
        )


def check_sound(path: Path, field: str) -> None:
    """Raises: MediaError if the file holds no sound that can be read."""
    read_sound(path, field)


# What a request's schema says of a field → the check.
CHECKS: dict[str, Check] = {"weights": check_weights, "audio": check_sound}
