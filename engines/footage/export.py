"""From a request's words for a file (good, small, archive, …) to codec and container."""

from __future__ import annotations

from engines.footage.fields import ExportFields
from engines.media.formats import CODECS, VideoFormat, h264, h265, prores

PRESETS: dict[str, VideoFormat] = {"good": h264(17), "small": h264(27), "archive": h265(10, ten_bit=True)}
PICTURES = {"gif": ".gif", "png": ".zip"}


def video_format(request: ExportFields) -> VideoFormat | None:
    """How moving pictures are written; None for GIF and PNG, which are single pictures."""
    if request.export != "custom":
        return PRESETS[request.export]
    if request.codec in PICTURES:
        return None
    return prores() if request.codec == "prores" else CODECS[request.codec](request.crf, request.ten_bit)


def suffix(request: ExportFields) -> str:
    """Of the result's file, with the dot."""
    how = video_format(request)
    return PICTURES[request.codec] if how is None else how.suffix
