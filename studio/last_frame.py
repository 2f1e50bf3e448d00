"""The last frame of a render as a picture of its own, to go on from."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from engines.footage.alignment import eight_bit
from engines.footage.video import VideoFootage
from studio.owned_files import OwnedFiles


def kept_last_frame(video: Path, owned: OwnedFiles, owner: str) -> Path:
    """Among the owner's files; the same render gives the same file.

    Raises: MediaError for a file that cannot be read; ResourceError if the disk is full.
    """
    source = VideoFootage(video)
    frame = eight_bit(next(source.frames(range(source.count - 1, source.count))))
    with TemporaryDirectory() as folder:
        made = Path(folder) / f"{video.stem}_last_frame.png"
        Image.fromarray(frame).save(made)
        return owned.uploads.keep(made, owner)
