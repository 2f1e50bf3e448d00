"""Whether a disk has room for what is about to be written, asked before anything is."""

from __future__ import annotations

import shutil
from pathlib import Path

from engines.byte_sizes import spoken_bytes
from engines.errors import ResourceError

SPARE_BYTES = 2**30  # is left free on the disk


def free_bytes(folder: Path) -> int:
    """Of the disk that a folder lies on, or will lie on once it is made."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def require_room(
    needed: int, folder: Path, what: str, way_out: str, field: str | None = None, free: int | None = None
) -> None:
    """Raises ResourceError if so many bytes, and SPARE_BYTES beside them, do not fit.

    Args:
        what: Begins the message: “{what} takes 3 GB, …”.
        way_out: What to do beside freeing space: “Free some space, or {way_out}.”
        free: What was found before; None looks now.
    """
    there = free_bytes(folder) if free is None else free
    if needed + SPARE_BYTES > there:
        raise ResourceError(
            f"{what} takes {spoken_bytes(needed)}, and {spoken_bytes(SPARE_BYTES)} to spare; "
            f"{spoken_bytes(there)} are free in {folder}.",
            f"Free some space, or {way_out}.",
            field,
        )
