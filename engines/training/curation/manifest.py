"""What came out: manifest.jsonl (a line for each clip that is kept), dropped.jsonl and report.md.

A line of the manifest: {"file", "first", "frames", "fps", "height", "width", "captions", "measures"}; first and frames
count at fps, so that `read_window` finds the same frames again.
"""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from engines.media.reader import ClipReader
from engines.media.target import write_atomically
from engines.training.curation.decide import REASONS, Clip
from engines.training.curation.rules import Rules

MEASURES = ("motion", "shake", "clarity", "brightness", "clipped", "bars", "appeal", "mixing")


def write_results(clips: list[Clip], out: Path, rules: Rules) -> None:
    """Writes all three files, each whole or not at all."""
    kept = [_line(clip, rules) for clip in clips if clip.reason is None]
    dropped = [
        {"file": clip.file, "first": clip.first, "end": clip.end, "reason": clip.reason, "detail": clip.detail}
        for clip in clips
        if clip.reason is not None
    ]
    for name, lines in (("manifest.jsonl", kept), ("dropped.jsonl", dropped)):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        write_atomically(out / name, text.encode())
    write_atomically(out / "report.md", report(clips).encode())


def _line(clip: Clip, rules: Rules) -> dict[str, Any]:
    assert clip.bucket is not None
    assert clip.measures is not None
    return {
        "file": clip.file, "first": clip.first, "frames": clip.bucket.frames, "fps": rules.fps,
        "height": clip.bucket.height, "width": clip.bucket.width, "captions": list(clip.captions),
        "measures": {name: round(clip.measures[name], 4) for name in MEASURES},
    }  # fmt: skip


def report(clips: list[Clip]) -> str:
    """The funnel in Markdown: what is kept in which bucket, what was dropped why, and how the measures are spread."""
    kept = [clip for clip in clips if clip.reason is None]
    files = {clip.file for clip in clips}
    lines = [
        "# What was kept",
        "",
        f"{len(kept)} of {len(clips)} clips, from {len({clip.file for clip in kept})} of {len(files)} files.",
        "",
        "| frames × height × width | clips |",
        "|---|---|",
    ]
    buckets = Counter(clip.bucket.name for clip in kept if clip.bucket)
    lines += [f"| {name} | {count} |" for name, count in sorted(buckets.items())]
    lines += ["", "# What was dropped", "", "| reason | clips | for example |", "|---|---|---|"]
    for reason in REASONS:
        those = [clip for clip in clips if clip.reason == reason]
        if those:
            lines.append(f"| {reason} | {len(those)} | {those[0].file}: {those[0].detail} |")
    measured = [clip.measures for clip in clips if clip.measures]
    if measured:
        lines += [
            "",
            "# Measures of all clips",
            "",
            "| measure | 5 % | 25 % | 50 % | 75 % | 95 % |",
            "|---|---|---|---|---|---|",
        ]
        for name in MEASURES:
            points = np.percentile([one[name] for one in measured], [5, 25, 50, 75, 95])
            lines.append(f"| {name} | " + " | ".join(f"{point:.3g}" for point in points) + " |")
    return "\n".join(lines) + "\n"


def read_window(line: dict[str, Any], folder: Path) -> npt.NDArray[np.uint8]:
    """The clip of a manifest's line: uint8 [T, H, W, 3], scaled to fill its bucket and cut around the middle.

    Raises: what ClipReader raises; ValueError if the video is shorter than it was.
    """
    fps, (height, width) = Fraction(line["fps"]), (line["height"], line["width"])
    first, end = line["first"], line["first"] + line["frames"]
    # From the beginning and by number: a clip begins with the same frame that was measured.
    frames: list[npt.NDArray[np.uint8]] = []
    number = 0
    for chunk in ClipReader(folder / line["file"], fps=fps, end=(end + 1) / fps):
        for frame in chunk:
            if first <= number < end:
                frames.append(_filled(np.asarray(frame, np.uint8), height, width))
            number += 1
    if len(frames) < line["frames"]:
        raise ValueError(f"{line['file']} has only {number} frames now")
    return np.stack(frames)


def _filled(frame: npt.NDArray[np.uint8], height: int, width: int) -> npt.NDArray[np.uint8]:
    factor = max(height / frame.shape[0], width / frame.shape[1])
    size = (max(width, round(frame.shape[1] * factor)), max(height, round(frame.shape[0] * factor)))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(frame, size, interpolation=method)
    top, left = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    return np.asarray(scaled[top : top + height, left : left + width], np.uint8)
