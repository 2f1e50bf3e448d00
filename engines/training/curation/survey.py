"""Everything that is known of each video, measured once and kept in survey.jsonl: a killed run goes on after it.

One line a file: {"file", "bytes", "changed", "reading", "height", "width", "shots", "clips": [{"shot", "first", "end",
measures}]} or, instead of what follows "reading", "unreadable" with the reason. Clips are what could be trained on, a
few out of each shot. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from engines.errors import InvalidRequest, UserError
from engines.media.probe import MediaInfo, probe
from engines.media.reader import ClipReader
from engines.training.curation.buckets import windows
from engines.training.curation.measures import SHORT_SIDE, Frames, Measures, measure
from engines.training.curation.rules import Rules
from engines.training.curation.shots import Shot, find_shots
from engines.training.json_lines import append_line, read_lines
from engines.training.watch import duration

SUFFIXES = {".mp4", ".mov", ".webm", ".mkv", ".avi", ".m4v", ".gif", ".mpg", ".mpeg", ".ts"}
MEASURED_PER_SECOND = 8


@dataclass(frozen=True)
class Measured:
    """A clip out of a shot, and what was measured of it."""

    clip: Shot
    measures: Measures


def videos_in(folder: Path) -> list[Path]:
    """Paths relative to the folder, in a fixed order. Raises InvalidRequest if there is no folder or no video."""
    if not folder.is_dir():
        raise InvalidRequest(f"There is no folder {folder}.", "Give the folder of your videos.", "videos")
    found = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )
    if not found:
        raise InvalidRequest(
            f"The folder {folder} holds no video.", f"Put files into it that end in {', '.join(sorted(SUFFIXES))}.",
            "videos",
        )  # fmt: skip
    return found


def survey(folder: Path, out: Path, rules: Rules, report: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """The record of every video, in a fixed order; those that stand in survey.jsonl and did not change are not read."""
    log = out / "survey.jsonl"
    known = {record["file"]: record for record in read_lines(log)}
    paths = videos_in(folder)
    began, measured = monotonic(), 0
    for number, path in enumerate(paths, start=1):
        stamp = _stamp(folder / path, path, rules)
        record = known.get(stamp["file"])
        if record is None or any(record.get(name) != value for name, value in stamp.items()):
            record = stamp | _look_at(folder / path, rules)
            append_line(log, record)
            measured += 1
            left = (monotonic() - began) / measured * (len(paths) - number)
            said = record.get("unreadable") or f"{len(record['clips'])} clips of {record['shots']} shots"
            report(f"{number} of {len(paths)}, {path}: {said}; {duration(left)} left")
        yield record


def _stamp(path: Path, shown: Path, rules: Rules) -> dict[str, Any]:
    """What a record is of: another file or another way to cut it into clips is measured again."""
    status = path.stat()
    cutting = [rules.fps, rules.trimmed, rules.shortest_shot, rules.windows_per_shot, sorted(rules.lengths)]
    return {"file": shown.as_posix(), "bytes": status.st_size, "changed": status.st_mtime_ns, "reading": cutting}


def _look_at(path: Path, rules: Rules) -> dict[str, Any]:
    try:
        info = probe(path)
        if info.kind != "video":
            return {"unreadable": "it is a picture, not a video"}
        size = measured_size(info)
        shots = list(find_shots(ClipReader(path, size=size, fps=rules.fps)))
        long = [shot.trimmed(rules.trimmed) for shot in shots if shot.length >= rules.shortest_shot]
        owners = [(number, clip) for number, shot in enumerate(long) for clip in windows(shot, rules)]
        measured = measured_clips(ClipReader(path, size=size, fps=rules.fps), [clip for _, clip in owners])
        records = [_as_record(one, owner) for one, (owner, _) in zip(measured, owners, strict=True)]
    except UserError as error:
        return {"unreadable": error.message}
    return {"height": info.height, "width": info.width, "shots": len(shots), "clips": records}


def measured_size(info: MediaInfo) -> tuple[int, int]:
    """(width, height) at which a video is measured."""
    factor = min(1.0, SHORT_SIDE / min(info.width, info.height))
    return max(16, round(info.width * factor)), max(16, round(info.height * factor))


def measured_clips(video: ClipReader, clips: list[Shot]) -> Iterator[Measured]:
    """The clips, which do not overlap and stand in order, with their measures. Reads in constant memory."""
    step = max(1, round(video.fps / MEASURED_PER_SECOND))
    wanted = {number: index for index, clip in enumerate(clips) for number in range(clip.first, clip.end, step)}
    kept: list[Frames] = []
    current, number = 0, 0
    for chunk in video if wanted else ():
        for frame in chunk:
            index = wanted.get(number)
            if index is not None:
                if index != current:
                    yield Measured(clips[current], measure(np.stack(kept)))
                    kept, current = [], index
                kept.append(np.asarray(frame, np.uint8))
            number += 1
    if kept:
        yield Measured(clips[current], measure(np.stack(kept)))


def _as_record(one: Measured, shot: int) -> dict[str, Any]:
    return {"shot": shot, "first": one.clip.first, "end": one.clip.end, **asdict(one.measures)}
