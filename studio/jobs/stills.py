"""The small picture that stands for a video in the gallery.

Shapes: T frames, H height, W width, 3 RGB channels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engines.media.contact_sheet import save_picture, thumbnail
from engines.media.probe import MediaInfo
from engines.media.reader import ClipReader

# A later frame says no more, and decoding up to it takes as long as the film is.
LATEST_SECONDS = 10.0


def still_path(video: Path, folder: Path) -> Path:
    """Where the still of a video lies in this folder."""
    return folder / f"{video.stem}_thumbnail.webp"


def write_still(info: MediaInfo, still: Path) -> Path:
    """Writes a frame from the first half of the file; many films begin with black. Returns `still`.

    Raises: MediaError if the file cannot be decoded; ResourceError if the folder cannot be written.
    """
    moves = info.kind != "picture" and float(info.fps) * info.duration_seconds > 2
    start = min(info.duration_seconds / 2, LATEST_SECONDS) if moves else 0.0
    frames = next(iter(ClipReader(info.path, start=start, chunk_frames=1)))
    save_picture(still, thumbnail(np.asarray(frames, np.uint8)))
    return still
