"""Where a result goes: the format by its suffix, a writable folder, enough disk, and replacing in one move."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av

from engines.errors import MediaError, ResourceError

FORMATS = {".mp4": "MP4", ".webm": "WebM", ".gif": "GIF", ".zip": "PNG sequence", ".mov": "QuickTime"}
MINIMUM_FREE_BYTES = 64 * 1024**2
_ENVIRONMENT_ERRORS = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.ENOENT, errno.ENOTDIR,
}  # fmt: skip
GIF_MAXIMUM_FPS = 50  # a GIF counts hundredths of a second, and browsers slow down pictures that last only one


def check_target(path: Path | str, fps: Fraction | int | None = None, field: str | None = None) -> None:
    """Whether a clip can be written there; makes the folder.

    Call it before rendering, so that nobody waits an hour for this message.

    Raises: MediaError for an unknown suffix or a rate that the format cannot hold; ResourceError for folder or disk.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise MediaError(
            f"“{path.name}” does not end in a format that can be written.",
            f"Choose one of: {', '.join(f'{suffix} ({name})' for suffix, name in FORMATS.items())}.",
            field,
        )
    if fps is not None and fps <= 0:
        raise MediaError(f"{float(fps):g} frames per second is not a rate.", "Choose a rate above 0.", field or "fps")
    if path.suffix.lower() == ".gif" and fps is not None and fps > GIF_MAXIMUM_FPS:
        raise MediaError(
            f"A GIF cannot show {float(fps):g} frames per second; at most {GIF_MAXIMUM_FPS} are possible.",
            f"Choose at most {GIF_MAXIMUM_FPS} frames per second, or MP4 or WebM.",
            field or "fps",
        )
    check_folder(path.parent, field)


def check_folder(folder: Path, field: str | None = None) -> None:
    """Makes the folder if needed. Raises ResourceError if it cannot be written or its disk is almost full."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        raise ResourceError(
            f"The folder “{folder}” cannot be written to.",
            "Choose another folder, or give this one the permission to write.",
            field,
        )
    free = shutil.disk_usage(folder).free
    if free < MINIMUM_FREE_BYTES:
        raise ResourceError(
            f"The disk of “{folder}” has only {free / 1024**2:.0f} MB left; "
            f"at least {MINIMUM_FREE_BYTES // 1024**2} MB are needed.",
            "Delete what is no longer needed, or choose a folder on another disk.",
            field,
        )


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns a full disk or a folder that went away while writing into ResourceError."""
    try:
        yield
    except (OSError, av.error.FFmpegError) as error:
        if error.errno in _ENVIRONMENT_ERRORS:
            raise ResourceError(
                f"“{path.name}” could not be written to “{path.parent}”: {error.strerror}.",
                "Check that the folder is there and writable and the disk has space, then render again.",
            ) from error
        raise


def part_of(path: Path) -> Path:
    """The unfinished file beside the final one."""
    return path.with_name(path.name + ".part")


def write_atomically(path: Path, content: bytes) -> None:
    """A small file, whole or not at all."""
    check_folder(path.parent)
    part = part_of(path)
    try:
        with disk_errors(path):
            part.write_bytes(content)
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
