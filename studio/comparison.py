"""A finished job about footage as before and after: which files the browser gets, and how their clocks go together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.media.probe import MediaInfo
from studio.compare_player import CompareValue, nothing_to_compare
from studio.files import FileServer
from studio.owned_files import OwnedFiles
from studio.source_preview import info_of, moving_preview, picture_of

if TYPE_CHECKING:
    from studio.jobs.job import Job


def comparison(job: Job, result: Path, owned: OwnedFiles, files: FileServer) -> CompareValue:
    """Before and after of a finished job. May take as long as decoding both files, the first time.

    Raises: MediaError if a file is gone or cannot be decoded.
    """
    after = info_of(result)
    measured = job.result.measurements if job.result else {}
    value = waiting_for_comparison("")
    value["width"], value["height"], value["fps"] = after.width, after.height, float(after.fps)
    value["moves"] = moves(after) and measured.get("frames") != 1
    show = moving_preview if value["moves"] else picture_of
    value["after"] = files.file_data(show(after, owned.previews_of(after.path)))
    if job.fields.get("second"):
        # One picture turns into another: there is no "before" of what lies between them.
        value["label"] = "The result"
        return value
    before = info_of(Path(str(job.fields["video"])), "video")
    if moves(before) == value["moves"]:
        value["before"] = files.file_data(show(before, owned.previews_of(before.path)))
        value["start"], value["rate"] = clocks(job.fields, measured, after)
    return value


def waiting_for_comparison(words: str) -> CompareValue:
    """Shown while the files of a comparison are being made."""
    value = nothing_to_compare()
    value["label"], value["waiting"] = "Before and after", words
    return value


def moves(info: MediaInfo) -> bool:
    return info.kind != "picture"


def clocks(fields: Mapping[str, Any], measured: Mapping[str, float], after: MediaInfo) -> tuple[float, float]:
    """(start, rate): at the second t of the result's file, the original stands at start + t · rate.

    The result of slow motion runs slower; a zip of pictures has no clock, and is shown at another rate than was meant.
    """
    shown_faster = float(after.fps) / measured.get("fps", float(after.fps))
    return float(fields.get("start") or 0.0), shown_faster / float(fields.get("slower") or 1.0)
