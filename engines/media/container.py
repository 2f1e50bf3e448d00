"""Opening a media file that somebody else made: only real media formats, no playlists, no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer

from engines.errors import MediaError

READABLE = "MP4, MOV, WebM, MKV, AVI, GIF or another video format"

# FFmpeg opens a file by its content. Playlists (HLS, DASH, concat) make it open further files and addresses, so a
# text named .mp4 could read any file of this machine. Hence a list of formats that hold their media themselves.
_FORMATS = (
    "mov,matroska,webm,avi,gif,apng,mpegts,mpeg,mpegvideo,flv,asf,ogg,h264,hevc,av1,ivf,m4v,mjpeg,obu,vc1,rm,"
    "yuv4mpegpipe,nut,dv,mxf,3gp,wav,mp3,flac,aac,aiff,caf,w64"
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}


def check_file(path: Path, field: str | None) -> int:
    """The file's size in bytes. Raises MediaError if there is no file, or nothing in it."""
    if not path.is_file():
        raise MediaError(f"{subject(path, field)} does not exist.", "Choose a file that exists.", field)
    size = path.stat().st_size
    if size == 0:
        raise MediaError(
            f"{subject(path, field)} is empty (0 bytes).", "Upload or save it again; the copy did not finish.", field
        )
    return size


@contextmanager
def open_input(path: Path, field: str | None = None) -> Iterator[InputContainer]:
    """Opens a file for reading; errors of FFmpeg inside the block become MediaError."""
    check_file(path, field)
    try:
        # Text in the header may be in any old encoding; it must not stop the reading of pictures.
        with av.open(str(path.resolve()), "r", options=_OPTIONS, metadata_errors="replace") as container:
            yield container
    except av.error.EOFError as error:
        raise without_frames(path, field) from error
    except av.error.FFmpegError as error:
        raise damaged(path, field, error) from error


def damaged(path: Path, field: str | None, error: Exception | None = None) -> MediaError:
    """The error for a file that is not media, or only a part of one."""
    detail = f" ({error.strerror})" if isinstance(error, av.error.FFmpegError) and error.strerror else ""
    return MediaError(
        f"{subject(path, field)} cannot be read as video or picture: it is damaged, incomplete or something else"
        f"{detail}.",
        f"Choose a whole file in {READABLE}; if it was copied or downloaded, do that again.",
        field,
    )


def without_frames(path: Path, field: str | None) -> MediaError:
    """The error for a file that begins like a video and ends before its first frame."""
    return MediaError(
        f"{subject(path, field)} holds a video without a single frame.",
        "Choose a video with at least one frame; if it was copied or downloaded, do that again.",
        field,
    )


def subject(path: Path, field: str | None) -> str:
    """How an error names a file: by the request's field if there is one, and by its name."""
    return f"{field}: “{path.name}”" if field else f"“{path.name}”"
