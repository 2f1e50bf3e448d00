"""Films of many parts: every way to make them, beside the naive sliding window and one-shot sampling.

Each film goes on from the first frame of a held-out scene of one thing whose motion goes on for ever (bounces, spins,
sways, circles), with its caption; so what is empty scene and what is the thing is known in every frame. Arms: chained
(each part is given the last 8 frames), frame (given the last slot only), anchored (chained, seeing the beginning),
streaming (anchored, and gone over with wandering seams), reencode (chained, handed over as decoded frames), rolling,
averaged (the naive sliding window: parts side by side, averaged), spectral (FreeLong), at_once (one shot), and truth
(the scene's own frames through the tokenizer).

Summary, for each ARM: ARM_noun, ARM_motion, ARM_scene, ARM_all_three (Judge B on 17 frames at a time),
ARM_identity_end (of the thing in the last 17 frames; identity_films: in how many it can be told from its scene),
ARM_seam_jump (largest change at a border of parts / median change; for at_once, spectral and truth at the borders of
averaged), ARM_channel_drift (largest change of a part's channel mean), ARM_flow_ratio (flow of the last 17 frames / of
the truth's, median). Of the default identity_end and seam_jump. freelong_wins, streaming_wins: of identity and seam
against averaged. freelong_above_at_once, streaming_above_at_once: on all_three. memory_ratio_257_vs_33: peaks of fresh
processes. frames_completed: of a film of 1,200. resume_max_error: grey levels after SIGKILL, largest of the ways.
A full run also writes assets/screenshots/long_video.png.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.held_out.rendering import CODE, FIRST_SEED, WEIGHTS, scene_name
from benchmarks.long_films.making import ARMS, OWN_CODE, PLAIN, TRUTH, endless_scenes, film_of_scene
from benchmarks.long_films.measuring import READ, measure
from benchmarks.long_films.runs import frames_of, largest_change_after_a_kill, peak_of
from benchmarks.shared.report import Report, parse_options
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.spec import SceneSpec
from engines.long_video.choice import DEFAULT
from engines.media.contact_sheet import contact_sheet, save_picture

NAME = "long_video"
FILMS, FRAMES, QUICK_FILMS, QUICK_FRAMES, SHEET_FILMS, SEED = 24, 97, 2, 49, 3, FIRST_SEED + 61
SHOWN = ("averaged", "chained", "streaming", "rolling", "spectral", "at_once")
LONGEST, QUICK_LONGEST, KILLED_FRAMES = 1200, 200, 61
# Way → step after which its process is killed.
KILLED = {"chained": 5, "streaming": 9, "rolling": 7, "averaged": 2, "spectral": 2}


def add_arm(report: Report, specs: list[SceneSpec], arm: str) -> None:
    rows = [
        report.row(arm, scene_name(spec), lambda s=spec: measure(s, film_of_scene(s, arm), arm))  # type: ignore[misc]
        for spec in specs
    ]
    for key in (*READ, "all_three", "seam_jump", "channel_drift"):
        report.mean(f"{arm}_{key}", [row[key] for row in rows])
    told = [row["identity_end"] for row in rows if row["identity_end"] is not None]
    report.mean(f"{arm}_identity_end", told or [0.0])
    report.number(f"{arm}_flow_ratio", float(np.median([row["flow_ratio"] for row in rows])))
    if arm == TRUTH:
        report.number("identity_films", float(len(told)))


def add_bars(report: Report) -> None:
    found = report.summary
    for key in ("identity_end", "seam_jump"):
        report.number(key, found[f"{DEFAULT}_{key}"])
    for name, arm in (("freelong", "spectral"), ("streaming", "streaming")):
        won = (found[f"{arm}_identity_end"] > found[f"{PLAIN}_identity_end"]) + (
            found[f"{arm}_seam_jump"] < found[f"{PLAIN}_seam_jump"]
        )
        report.number(f"{name}_wins", float(won))
        report.number(f"{name}_above_at_once", found[f"{arm}_all_three"] - found["at_once_all_three"])


def add_runs(report: Report, folder: Path) -> None:
    """What only whole renders show."""

    def peak(frames: int) -> dict[str, int]:
        return {"bytes": peak_of(folder / str(frames), "chained", frames)}

    peaks = [
        float(report.row("peak", f"{frames} frames", lambda f=frames: peak(f))["bytes"])  # type: ignore[misc]
        for frames in (33, 257)
    ]
    report.number("memory_ratio_257_vs_33", peaks[1] / peaks[0])

    def long_run() -> dict[str, int]:
        made = frames_of(folder / "long", "chained", longest, 4)
        assert made is not None
        return {"frames": len(made)}

    longest = QUICK_LONGEST if report.quick else LONGEST
    report.number("frames_completed", float(report.row("longest", f"{longest} frames", long_run)["frames"]))
    errors = [
        report.row("killed", way, lambda w=way, s=step: {  # type: ignore[misc]
            "error": largest_change_after_a_kill(folder / w, w, KILLED_FRAMES, 4, s)
        })["error"]
        for way, step in KILLED.items()
        if not report.quick or way in ("chained", "rolling")
    ]  # fmt: skip
    report.number("resume_max_error", float(max(errors)))


def write_sheet(specs: list[SceneSpec]) -> None:
    clips, labels = [], []
    for spec in [specs[int(row)] for row in np.linspace(0, len(specs) - 1, SHEET_FILMS + 2)[1:-1]]:
        clips += [film_of_scene(spec, arm) for arm in SHOWN]
        labels += [f"{caption(spec).text}: {arm}" for arm in SHOWN]
    save_picture(Path("assets/screenshots/long_video.png"), contact_sheet(clips, 1, labels, frames_per_clip=12))


def main() -> None:
    options = parse_options(NAME, __doc__)
    code = (*CODE, *OWN_CODE, "benchmarks/completing", "benchmarks/long_video.py", "engines/media")
    report = Report(NAME, options, code, WEIGHTS)
    frames = QUICK_FRAMES if report.quick else FRAMES
    specs = endless_scenes(QUICK_FILMS if report.quick else FILMS, frames, SEED)
    for arm in (TRUTH, *ARMS):
        add_arm(report, specs, arm)
    add_bars(report)
    with tempfile.TemporaryDirectory() as folder:
        add_runs(report, Path(folder))
    if not report.quick:
        write_sheet(specs)
    report.finish()


if __name__ == "__main__":
    main()
