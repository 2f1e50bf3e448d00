"""Whether two renders are the same, in 64 characters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from engines.media.clip import Frames


class FramesDigest:
    """SHA-256 over frames as they come: first type and size of a frame, then every frame's bytes, row by row.

    How the frames were cut into chunks makes no difference.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._kind: tuple[str, tuple[int, ...]] | None = None

    def update(self, frames: Frames) -> None:
        """Adds frames uint8 or uint16 [T, H, W, 3]. Raises ValueError if type or size change on the way."""
        kind = (frames.dtype.name, frames.shape[1:])
        if self._kind is None:
            self._kind = kind
            self._hash.update(repr(kind).encode())
        elif kind != self._kind:
            raise ValueError(f"frames of {kind} follow frames of {self._kind}")
        little_endian = frames.astype(frames.dtype.newbyteorder("<"), copy=False)
        self._hash.update(np.ascontiguousarray(little_endian).data)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def frames_digest(frames: Frames | Iterable[Frames]) -> str:
    """SHA-256 in hexadecimal of frames [T, H, W, 3], given whole or as chunks."""
    digest = FramesDigest()
    for chunk in [frames] if isinstance(frames, np.ndarray) else frames:
        digest.update(chunk)
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 in hexadecimal of a file; of a folder, over the names and contents of its files."""
    if path.is_dir():
        listed = sorted(one for one in path.rglob("*") if one.is_file())
        together = "".join(f"{one.relative_to(path)} {file_digest(one)}\n" for one in listed)
        return hashlib.sha256(together.encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
