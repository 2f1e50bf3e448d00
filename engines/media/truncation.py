"""Whether a file was cut off, from what its header says about its own length. FFmpeg itself reads on without a word."""

from __future__ import annotations

from pathlib import Path

from av.video.stream import VideoStream

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_HEADER_BYTES = 4096


def is_cut_off(path: Path, stream: VideoStream) -> bool:
    """True if an MP4's index points behind the end of the file, or a Matroska segment (WebM, MKV) is longer than it."""
    size = path.stat().st_size
    entries = stream.index_entries
    if len(entries) and entries[-1].pos + entries[-1].size > size:
        return True
    segment_end = _matroska_segment_end(path)
    return segment_end is not None and segment_end > size


def _matroska_segment_end(path: Path) -> int | None:
    """Where the segment ends, in bytes; None for other formats and live recordings, which do not say.

    RFC 8794 (EBML) §4: the leading zero bits of the size's first byte give its length; all ones are "unknown".
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    position = header.find(_SEGMENT) + len(_SEGMENT)
    if not header.startswith(_EBML) or position < len(_SEGMENT) or position >= len(header) or header[position] == 0:
        return None
    length = 9 - header[position].bit_length()
    value = int.from_bytes(header[position : position + length], "big") - (1 << 7 * length)
    unknown = (1 << 7 * length) - 1
    return None if value == unknown else position + length + value
