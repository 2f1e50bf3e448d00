"""A small H.264 copy of a video that browsers cannot play (HEVC, ProRes, 10 bits). Only for looking at it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from engines.media.formats import h264
from engines.media.limits import Limits
from engines.media.probe import MediaInfo
from engines.media.reader import ClipReader
from engines.media.writer import ClipWriter

LONGEST_SIDE = 960
CRF = 26


def light_copy(info: MediaInfo, folder: Path) -> Path:
    """Makes the copy, once, with the file's length and frame rate. It appears whole or not at all.

    Args:
        folder: Where it is kept; made if it is not there.

    Raises: MediaError if the file cannot be decoded; ResourceError if the disk is full.
    """
    copy = folder / f"{_key(info.path)}.preview.mp4"
    if copy.exists():
        return copy
    reader = ClipReader(info.path, size=light_size(info.width, info.height), limits=Limits())
    folder.mkdir(parents=True, exist_ok=True)
    with ClipWriter(copy, reader.fps, how=h264(CRF)) as writer:
        for chunk in reader:
            writer.write(chunk)
    return copy


def light_size(width: int, height: int) -> tuple[int, int]:
    """The size of the copy: no side longer than LONGEST_SIDE, both even."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _key(path: Path) -> str:
    """Of the same path always the same; two files of one folder do not share a copy."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:16]
