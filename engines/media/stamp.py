"""The digest of the frames, put into a finished file's header.

The record is written before the first frame, the digest is known after the last. So the record first holds a
placeholder of the same length, and these 64 bytes are replaced in the file; nothing else moves.
"""

from __future__ import annotations

import hashlib
import mmap
from pathlib import Path

PLACEHOLDER = hashlib.sha256(b"framewright: the digest of the frames goes here").hexdigest()


def replace_placeholder(path: Path, digest: str) -> None:
    """Writes 64 hexadecimal characters over the placeholder. Raises RuntimeError if it is not there exactly once."""
    if len(digest) != len(PLACEHOLDER):
        raise ValueError(f"a digest has {len(PLACEHOLDER)} characters, not {len(digest)}")
    wanted = PLACEHOLDER.encode()
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        position = content.find(wanted)
        if position < 0 or content.find(wanted, position + 1) >= 0:
            raise RuntimeError(f"{path.name} does not hold the placeholder of the frames' digest exactly once")
        content[position : position + len(wanted)] = digest.encode()
