"""What the browser is shown of a file that was brought: the file itself, a light copy, or a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from engines.media.contact_sheet import save_picture, thumbnail
from engines.media.limits import Limits
from engines.media.probe import MediaInfo, probe
from engines.media.reader import ClipReader
from studio.light_copy import light_copy

PLAYABLE_SUFFIXES = (".mp4", ".m4v", ".mov", ".webm")
PLAYABLE_CODECS = ("h264", "vp8", "vp9", "av1")
PLAYABLE_PIXELS = ("yuv420p", "yuvj420p")
PREVIEW_NAME = "preview.webp"
PREVIEW_WIDTH = 1920
KNOWN_FILES = 256


@dataclass(frozen=True)
class Preview:
    """A file to look at.

    Attributes:
        path: What the browser gets.
        moves: Whether it is a video.
    """

    path: Path
    moves: bool


def info_of(path: Path, field: str | None = None) -> MediaInfo:
    """What the file holds, within the limits of this studio. Raises: MediaError, LimitExceeded."""
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        stamp = 0
    return _known_info(path, stamp, field)


@lru_cache(KNOWN_FILES)
def _known_info(path: Path, stamp: int, field: str | None) -> MediaInfo:
    return probe(path, Limits(), field)


def needs_copy(info: MediaInfo) -> bool:
    """Whether browsers cannot play the file. Pictures and GIFs are shown as pictures."""
    if info.kind == "picture" or info.codec == "gif":
        return False
    return not (
        info.path.suffix.lower() in PLAYABLE_SUFFIXES
        and info.codec in PLAYABLE_CODECS
        and info.pixel_format in PLAYABLE_PIXELS
    )


def preview_of(info: MediaInfo, folder: Path) -> Preview:
    """Makes what the browser is shown, once; a light copy takes as long as decoding the file.

    Args:
        folder: Where copies are kept.

    Raises: MediaError if the file cannot be decoded; ResourceError if the disk is full.
    """
    if info.kind == "picture":
        return Preview(picture_of(info, folder), moves=False)
    if info.codec == "gif":
        return Preview(info.path, moves=False)
    return Preview(moving_preview(info, folder), moves=True)


def moving_preview(info: MediaInfo, folder: Path) -> Path:
    """A video that browsers play and step through: the file itself, else its light copy. Raises: as `preview_of`."""
    return light_copy(info, folder) if needs_copy(info) or info.codec == "gif" else info.path


def picture_of(info: MediaInfo, folder: Path) -> Path:
    """The first frame of anything as a WebP, which every browser shows. Raises: as `preview_of`."""
    shown = folder / f"{info.path.name}.{PREVIEW_NAME}"
    if not shown.exists():
        folder.mkdir(parents=True, exist_ok=True)
        save_picture(shown, thumbnail(np.asarray(next(iter(ClipReader(info.path))), np.uint8), PREVIEW_WIDTH))
    return shown
