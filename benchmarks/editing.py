"""Edits with rendered truth: by words (another thing, place or colour), removals and moves.

Words: ours (the request's defaults) beside inversion without sharing, noising (SDEdit) at three strengths, a new clip
from the new prompt, and the other methods of the studio, on the same weights. Nothing of the source is pasted back.
Removals and moves: what is selected by a box on the first frame and followed; finished by the model, too, with keys and
values mixed by the mask (row 15) and without; beside them painting every frame over and the model's completion, with
true masks; the clip as it was.

Summary: for each CHANGE (noun, scene, colour) and ARM: CHANGE_ARM_success (the new word is read by Judge B, and what
moves moves as before; of scenes: the thing is the same noun), CHANGE_ARM_background_psnr, scene_ARM_identity;
removed_ARM and removed_strict_ARM, removal_ARM_psnr; move_ARM_iou, move_ARM_left_psnr (the
empty scene where the thing was); of 65 frames in chunks long_seam_jump and
long_source_seam_jump (of the clip itself), long_noun, long_background_psnr. Bars: success (of nouns),
background_psnr_gain_vs_sdedit_db (against the strength of nearest success, the strongest if none reaches ours;
sdedit_strength says which), scene_identity, removed, iou_target, seam_jump. Restyled frame by frame, for each way ARM
of holding frames to each other: restyled_ARM_truth_psnr, _warp_error, _noun; warp_error_ratio_vs_keys.
A full run also writes assets/screenshots/editing.png: clips chosen by number, the source above its edit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np

from benchmarks.edits.by_words import ARMS, STRENGTHS, Change, WordEdit, edited, is_success, measure, word_edits
from benchmarks.edits.long import lengthened, measure_long
from benchmarks.edits.of_objects import MOVERS, REMOVERS, measure_move, measure_removal, move_within
from benchmarks.edits.restyled import ARMS as RESTYLING_ARMS
from benchmarks.edits.restyled import measure_restyled, restylings
from benchmarks.held_out.rendering import CODE, FIRST_SEED, WEIGHTS, scene_name
from benchmarks.shared.report import Report, parse_options
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.media.contact_sheet import contact_sheet, save_picture

NAME = "editing"
EDITS: dict[Change, int] = {"noun": 48, "scene": 32, "colour": 24}
QUICK_EDITS, REMOVALS, QUICK_REMOVALS, SHEET_CLIPS, SEED = 2, 32, 3, 4, FIRST_SEED + 5
LONG_EDITS, QUICK_LONG_EDITS, RESTYLINGS, QUICK_RESTYLINGS = 10, 1, 10, 1


def add_words(report: Report) -> dict[Change, list[WordEdit]]:
    edits: dict[Change, list[WordEdit]] = {}
    for change in get_args(Change):
        edits[change] = word_edits(change, QUICK_EDITS if report.quick else EDITS[change], SEED)
        for arm in ARMS:
            rows = [
                report.row(
                    f"{change}: {arm}", f"{scene_name(edit.source)} → {caption(edit.target).text}",
                    lambda e=edit, a=arm: measure(e, a),  # type: ignore[misc]
                )
                for edit in edits[change]
            ]  # fmt: skip
            key = f"{change}_{arm}"
            report.mean(
                f"{key}_success", [is_success(edit, row) for edit, row in zip(edits[change], rows, strict=True)]
            )
            if change != "scene":
                report.mean(f"{key}_background_psnr", [row["background_psnr"] for row in rows])
                continue
            report.mean(f"{key}_identity", [row["identity"] for row in rows])
    return edits


def add_objects(report: Report) -> None:
    specs = held_out_scenes("one thing", QUICK_REMOVALS if report.quick else REMOVALS, SEED + 20)
    for arm in REMOVERS:
        rows = _rows(report, f"remove: {arm}", specs, lambda spec, a=arm: measure_removal(spec, a))
        for key in ("removed", "removed_strict"):
            report.mean(f"{key}_{arm}", [row[key] for row in rows])
        report.mean(f"removal_{arm}_psnr", [row["psnr"] for row in rows])
    for arm in MOVERS:
        rows = _rows(report, f"move: {arm}", specs, lambda spec, a=arm: measure_move(spec, move_within(spec, SEED), a))
        for key in ("iou", "left_psnr"):
            report.mean(f"move_{arm}_{key}", [row[key] for row in rows])


def add_long(report: Report) -> None:
    edits = word_edits("noun", QUICK_LONG_EDITS if report.quick else LONG_EDITS, SEED + 40)
    rows = [
        report.row("65 frames", f"{scene_name(edit.source)} → {caption(edit.target).text}",
                   lambda e=edit: measure_long(e))  # type: ignore[misc]
        for edit in map(lengthened, edits)
    ]  # fmt: skip
    for key in ("seam_jump", "source_seam_jump", "noun", "background_psnr"):
        report.mean(f"long_{key}", [row[key] for row in rows])
    report.number("seam_jump", report.summary["long_seam_jump"])


def add_restyled(report: Report) -> None:
    clips = restylings(QUICK_RESTYLINGS if report.quick else RESTYLINGS, SEED + 60)
    for arm in RESTYLING_ARMS:
        rows = [
            report.row(f"restyled: {arm}", scene_name(one.target), lambda o=one, a=arm: measure_restyled(o, a))  # type: ignore[misc]
            for one in clips
        ]
        for key in ("truth_psnr", "warp_error", "noun"):
            report.mean(f"restyled_{arm}_{key}", [row[key] for row in rows])
    found = report.summary
    ratio = found["restyled_estimates_warp_error"] / found["restyled_keys_warp_error"]
    report.number("warp_error_ratio_vs_keys", ratio)


def _rows(report: Report, arm: str, specs: list[Any], measured: Any) -> list[dict[str, Any]]:
    return [report.row(arm, scene_name(spec), lambda s=spec: measured(s)) for spec in specs]  # type: ignore[misc]


def add_bars(report: Report) -> None:
    found = report.summary
    report.number("success", found["noun_ours_success"])
    reached = {strength: found[f"noun_noising_{strength}_success"] for strength in STRENGTHS}
    strongest = max(STRENGTHS)
    nearest = min(reached, key=lambda strength: (abs(reached[strength] - found["success"]), -strength))
    chosen = nearest if max(reached.values()) >= found["success"] else strongest
    report.number("sdedit_strength", chosen)
    gain = found["noun_ours_background_psnr"] - found[f"noun_noising_{chosen}_background_psnr"]
    report.number("background_psnr_gain_vs_sdedit_db", gain)
    report.number("scene_identity", found["scene_ours_identity"])
    report.number("removed", found["removed_ours"])
    report.number("iou_target", found["move_ours_iou"])


def write_sheet(edits: dict[Change, list[WordEdit]]) -> None:
    """The source clips, and below each what our edit made of it."""
    clips, labels = [], []
    for of_change in edits.values():
        for edit in [of_change[int(row)] for row in np.linspace(0, len(of_change) - 1, SHEET_CLIPS + 2)[1:-1]]:
            clips += [render_scene(edit.source).frames, edited(edit, "ours")]
            labels += [caption(edit.source).text, caption(edit.target).text]
    order = [index for row in range(0, len(clips), 4) for index in (row, row + 2, row + 1, row + 3)]
    sheet = contact_sheet([clips[index] for index in order], 2, [labels[index] for index in order], frames_per_clip=6)
    save_picture(Path("assets/screenshots/editing.png"), sheet)


def main() -> None:
    options = parse_options(NAME, __doc__)
    code = (
        *CODE, "engines/inversion", "engines/long_video", "engines/selection", "engines/footage",
        "engines/video_editing", "benchmarks/completing", "benchmarks/edits", "benchmarks/editing.py",
    )  # fmt: skip
    report = Report(NAME, options, code, WEIGHTS)
    edits = add_words(report)
    add_objects(report)
    add_long(report)
    add_restyled(report)
    add_bars(report)
    if not report.quick:
        write_sheet(edits)
    report.finish()


if __name__ == "__main__":
    main()
