"""Which clips are kept, and why the others are not: thresholds over what the survey measured.

A clip is dropped for the first reason that holds, in the order of REASONS, so that the numbers of the report add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engines.training.curation.buckets import Bucket, best_size
from engines.training.curation.captions import CaptionError, sidecar_captions
from engines.training.curation.rules import Rules, Thresholds

REASONS = (
    "unreadable", "too short", "shape", "caption", "dark", "bright", "bars", "clipped", "still", "fast", "shaky",
    "dissolve", "blurred", "dull", "duplicate", "worst clarity", "worst appeal",
)  # fmt: skip


@dataclass(frozen=True)
class Clip:
    """A clip of a video, or a video of which there is none.

    Attributes:
        file: Relative to the videos' folder. shot: number of its shot there.
        first, end: Frames at the rate of the rules; 0 and 0 for a whole file.
        measures: As measures.Measures names them; empty for a whole file.
        reason: Why it is dropped, one of REASONS; None if it is kept. detail: the measure and its bound, or the error.
    """

    file: str
    shot: int = 0
    first: int = 0
    end: int = 0
    measures: dict[str, Any] | None = None
    captions: tuple[str, ...] = ()
    bucket: Bucket | None = None
    reason: str | None = None
    detail: str = ""


def decide(records: Iterable[dict[str, Any]], folder: Path, rules: Rules) -> list[Clip]:
    """All clips in the order of the records, each kept or with its reason."""
    clips = [clip for record in records for clip in _clips_of(record, folder, rules)]
    clips = _without_duplicates(clips, rules.duplicate_bits)
    for name in ("clarity", "appeal"):
        clips = _without_worst(clips, name, rules.keep.worst)
    return clips


def _clips_of(record: dict[str, Any], folder: Path, rules: Rules) -> list[Clip]:
    file = record["file"]
    if "unreadable" in record:
        return [Clip(file, reason="unreadable", detail=record["unreadable"])]
    if not record["clips"]:
        detail = f"no shot of at least {max(rules.shortest_shot, min(rules.lengths) + 2 * rules.trimmed)} frames"
        return [Clip(file, reason="too short", detail=detail)]
    size = best_size(record["height"], record["width"], rules)
    try:
        captions, missing = sidecar_captions(folder / file), "there is no caption beside it"
    except CaptionError as error:
        captions, missing = (), str(error)
    clips = []
    for found in record["clips"]:
        measures = {name: value for name, value in found.items() if name not in ("shot", "first", "end")}
        place = {
            "file": file,
            "shot": found["shot"],
            "first": found["first"],
            "end": found["end"],
            "measures": measures,
        }
        if size is None:
            detail = f"{record['width']} × {record['height']} fits into no bucket"
            clips.append(Clip(**place, reason="shape", detail=detail))
            continue
        reason, detail = _fault(measures, rules.keep)
        if not captions and rules.caption_required:
            reason, detail = "caption", missing
        bucket = Bucket(found["end"] - found["first"], *size)
        clips.append(Clip(**place, captions=captions, bucket=bucket, reason=reason, detail=detail))
    return clips


def _fault(measures: dict[str, Any], keep: Thresholds) -> tuple[str | None, str]:
    """The first bound that is not met, and by what."""
    bounds = (
        ("dark", "brightness", keep.brightness[0], True), ("bright", "brightness", keep.brightness[1], False),
        ("bars", "bars", keep.bars, False), ("clipped", "clipped", keep.clipped, False),
        ("still", "motion", keep.motion[0], True), ("fast", "motion", keep.motion[1], False),
        ("shaky", "shake", keep.shake, False), ("dissolve", "mixing", keep.mixing, False),
        ("blurred", "clarity", keep.clarity, True), ("dull", "appeal", keep.appeal, True),
    )  # fmt: skip
    for reason, name, bound, is_least in bounds:
        value = measures[name]
        if value < bound if is_least else value > bound:
            return reason, f"{name} {value:.3g}, {'at least' if is_least else 'at most'} {bound:g} is asked"
    return None, ""


def _without_duplicates(clips: list[Clip], bits: int) -> list[Clip]:
    """The first of several that look the same stays. Bounded memory: three numbers a clip."""
    kept = np.zeros((len(clips), 3), np.uint64)
    owners: list[Clip] = []
    decided = []
    for clip in clips:
        if clip.reason is None and clip.measures is not None:
            pictures = np.array(clip.measures["pictures"], np.uint64)
            apart = np.bitwise_count(kept[: len(owners)] ^ pictures).max(axis=1, initial=0)
            same = [owners[int(row)] for row in np.flatnonzero(apart <= bits)]
            # Clips of one shot are meant to be alike.
            first = next((one for one in same if (one.file, one.shot) != (clip.file, clip.shot)), None)
            if first is not None:
                clip = _dropped(clip, "duplicate", f"looks like {first.file}, frames {first.first} to {first.end}")
            else:
                kept[len(owners)] = pictures
                owners.append(clip)
        decided.append(clip)
    return decided


def _without_worst(clips: list[Clip], name: str, share: float) -> list[Clip]:
    ranked = sorted(
        ((clip.measures[name], row) for row, clip in enumerate(clips) if clip.reason is None and clip.measures)
    )
    worst = {row for _, row in ranked[: int(share * len(ranked))]}
    detail = f"among the last {100 * share:g} % by {name}"
    return [_dropped(clip, f"worst {name}", detail) if row in worst else clip for row, clip in enumerate(clips)]


def _dropped(clip: Clip, reason: str, detail: str) -> Clip:
    return replace(clip, reason=reason, detail=detail)
