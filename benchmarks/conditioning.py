"""Clips of which something is given: every mode against copying, blending and replacement on the same weights.

Held-out scenes of one thing; what is given comes from the true render, the rest is made from its caption. Modes: first
frame, last frame, first and last, keyframes (first, middle, last), beginning (5 frames), region (a box to fill in).
Arms: ours (given tokens at σ = 0, keyframes as tokens of their own), replacement (one level for all, what is given put
in its place at every step), copy_nearest, linear_blend (of a region: Telea inpainting).

Summary: for each mode and arm MODE_ARM_psnr (of what was to be made) and MODE_ARM_motion (Judge B). Bars:
frame0_psnr_gap_db (tokenizer's round trip − ours, of the given first frame), identity (of the thing in all frames of a
clip whose first one was given; identity_clips: in how many it can be told from its scene),
first_last_gain_vs_linear_db, keyframe_gain_vs_linear_db, inpaint_gain_vs_replacement_db, extension_motion,
extension_motion_copy. A gain is the mean of the clips' gains in dB; a clip counts at most 40 dB.
A full run also writes assets/screenshots/conditioning.png: two clips of every mode, chosen by number.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from benchmarks.completing.arms import ARMS, Case, case_of, ours
from benchmarks.completing.objects import identity_of
from benchmarks.held_out.rendering import CODE, FIRST_SEED, WEIGHTS, Frames, reading, round_trip, scene_name
from benchmarks.shared.report import Report, parse_options
from engines.conditioning.given import Mode
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.metrics.psnr import pixel_psnr

NAME = "conditioning"
MODES = tuple(mode for mode in get_args(Mode) if mode != "nothing")
CLIPS, QUICK_CLIPS, SHEET_CLIPS, SEED = 64, 3, 2, 5
MOST_DB = 40.0  # nearer than that nobody sees; a copy of what stands still is equal to it
SAMPLED = ("ours", "replacement")  # what is not sampled has the given frame to the bit
GREY = 90  # what is not given, on the sheet


def to_make(case: Case) -> tuple[list[int], npt.NDArray[np.bool_] | None]:
    """Frames, and pixels of them, that were not given."""
    if case.hole is not None:
        return list(range(len(case.truth))), case.hole
    return [frame for frame in range(len(case.truth)) if frame not in case.known], None


def measure(case: Case, arm: str) -> dict[str, Any]:
    made = ARMS[arm](case)
    frames, hole = to_make(case)
    row: dict[str, Any] = {
        "psnr": min(MOST_DB, pixel_psnr(made[frames], case.truth[frames], hole)),
        "motion": reading(made)["motion"],
    }
    if case.mode == "first frame" and arm in SAMPLED:
        row["identity"] = identity_of(case.spec, made, 0)
        row["frame0_psnr"] = pixel_psnr(made[:1], case.truth[:1])
        row["frame0_round_trip_psnr"] = pixel_psnr(round_trip(case.truth[:1]), case.truth[:1])
    return row


def gain(rows: dict[tuple[str, str], list[dict[str, Any]]], mode: Mode, baseline: str) -> list[float]:
    """Decibels by which ours is nearer to the truth, clip by clip."""
    pairs = zip(rows[mode, "ours"], rows[mode, baseline], strict=True)
    return [own["psnr"] - other["psnr"] for own, other in pairs]


def shown_as_given(case: Case) -> Frames:
    """The true clip with what is not given in grey."""
    frames, hole = to_make(case)
    given = case.truth.copy()
    for frame in frames:
        given[frame][hole if hole is not None else slice(None)] = GREY
    return given


def write_sheet(cases: dict[Mode, list[Case]]) -> None:
    """What is given, and below it what was made."""
    clips, labels = [], []
    for mode, of_mode in cases.items():
        for case in [of_mode[int(index)] for index in np.linspace(0, len(of_mode) - 1, SHEET_CLIPS + 2)[1:-1]]:
            clips += [shown_as_given(case), ours(case)]
            labels += [f"given: {mode}", caption(case.spec).text]
    order = [index for row in range(0, len(clips), 4) for index in (row, row + 2, row + 1, row + 3)]
    sheet = contact_sheet([clips[index] for index in order], 2, [labels[index] for index in order], frames_per_clip=6)
    save_picture(Path("assets/screenshots/conditioning.png"), sheet)


def main() -> None:
    options = parse_options(NAME, __doc__)
    code = (*CODE, "benchmarks/completing", "benchmarks/conditioning.py")
    report = Report(NAME, options, code, WEIGHTS)
    specs = held_out_scenes("one thing", QUICK_CLIPS if report.quick else CLIPS, FIRST_SEED + 1)
    truths = [render_scene(spec).frames for spec in specs]
    cases = {mode: [case_of(s, t, mode, SEED) for s, t in zip(specs, truths, strict=True)] for mode in MODES}
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for mode, of_mode in cases.items():
        for arm in ARMS:
            rows[mode, arm] = [
                report.row(f"{mode}: {arm}", scene_name(case.spec), lambda c=case, a=arm: measure(c, a))  # type: ignore[misc]
                for case in of_mode
            ]
            key = f"{mode.replace(' ', '_')}_{arm}"
            report.mean(f"{key}_psnr", [row["psnr"] for row in rows[mode, arm]])
            report.mean(f"{key}_motion", _motion_right(specs, rows[mode, arm]))
    add_bars(report, rows)
    if not report.quick:
        write_sheet(cases)
    report.finish()


def _motion_right(specs: list[Any], rows: list[dict[str, Any]]) -> list[float]:
    return [float(row["motion"] == scene_words(spec)["motion"]) for spec, row in zip(specs, rows, strict=True)]


def add_bars(report: Report, rows: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    first = rows["first frame", "ours"]
    report.mean("frame0_psnr_gap_db", [row["frame0_round_trip_psnr"] - row["frame0_psnr"] for row in first])
    for arm in ("ours", "replacement"):
        values = [row["identity"] for row in rows["first frame", arm] if row["identity"] is not None]
        report.mean("identity" if arm == "ours" else f"identity_{arm}", values)
    report.number("identity_clips", sum(row["identity"] is not None for row in first))
    report.mean("first_last_gain_vs_linear_db", gain(rows, "first and last frame", "linear_blend"))
    report.mean("keyframe_gain_vs_linear_db", gain(rows, "keyframes", "linear_blend"))
    report.mean("keyframe_gain_vs_replacement_db", gain(rows, "keyframes", "replacement"))
    report.mean("inpaint_gain_vs_replacement_db", gain(rows, "region", "replacement"))
    report.mean("inpaint_gain_vs_telea_db", gain(rows, "region", "linear_blend"))
    report.number("extension_motion", report.summary["beginning_ours_motion"])
    report.number("extension_motion_copy", report.summary["beginning_copy_nearest_motion"])


if __name__ == "__main__":
    main()
