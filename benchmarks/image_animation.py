"""Pictures that start to move: every method, and both ends of the slider, against plain replacement.

Pictures are the first frames of held-out scenes of one thing, the prompts their captions. Arms: words (the default:
guidance by the words), joint (STIV), prior (begun at the picture), replacement (the plain baseline), keep and move (the
default with the slider at either end), still (the picture for every frame: what copies look like).

Summary: for each ARM ARM_frame0_psnr_gap_db (the tokenizer's round trip − the arm's, of the picture), ARM_identity (of
the thing in all frames; identity_clips: in how many it can be told from its scene), ARM_motion_accuracy (Judge B),
ARM_motion_ratio (flow of the thing as a share of the true clip's, median), ARM_motion_in_band (share of clips within
0.5 … 1.5), ARM_static_share. Of the default the bars frame0_psnr_gap_db, identity, motion_accuracy, motion_ratio,
motion_in_band, static_share, and metrics_won_vs_plain_replacement (of gap, identity, motion_accuracy and |ratio − 1|).
A full run also writes assets/screenshots/image_animation.png: pictures chosen by number, slider at −1, 0 and 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.completing.objects import identity_of
from benchmarks.held_out.rendering import (
    CODE,
    FIRST_SEED,
    WEIGHTS,
    Frames,
    bundled,
    decoded,
    geometry_of,
    kept,
    reading,
    round_trip,
    scene_name,
)
from benchmarks.shared.report import Report, parse_options
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec
from engines.image_animation.methods import Animation, animate
from engines.image_animation.request import Method
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.metrics.motion import STILL, flow_ratio, motion_in_band, motion_ratio, object_flow, static_share
from engines.metrics.psnr import pixel_psnr
from engines.metrics.regions import union_dilated

NAME = "image_animation"
PICTURES, QUICK_PICTURES, SHEET_PICTURES, SEED, STEPS, GUIDANCE = 80, 3, 6, FIRST_SEED + 51, 20, 4.0
# Arm → method, movement.
ARMS: dict[str, tuple[Method, float]] = {
    "joint": ("joint guidance", 0.0), "words": ("word guidance", 0.0), "prior": ("picture prior", 0.0),
    "replacement": ("replacement", 0.0), "keep": ("word guidance", -1.0), "move": ("word guidance", 1.0),
}  # fmt: skip
STILL_ARM, DEFAULT, PLAIN = "still", "words", "replacement"
OWN_CODE = ("engines/image_animation",)


def animated(spec: SceneSpec, arm: str) -> Frames:
    """The scene's first frame, animated with its caption."""
    first = render_scene(spec).frames[0]
    if arm == STILL_ARM:
        return np.repeat(first[None], spec.frames, axis=0)
    method, movement = ARMS[arm]

    def make() -> npt.NDArray[Any]:
        family = bundled()
        said, empty = (family.encode_prompt([text]) for text in (caption(spec).text, ""))
        return decoded(
            animate(
                Animation(family, geometry_of(spec), first, {}, said, empty, method, movement, STEPS, GUIDANCE,
                          spec.seed)
            )
        )  # fmt: skip

    return kept(f"animated, {arm}: {scene_name(spec)}", make, OWN_CODE)


def measure(spec: SceneSpec, arm: str) -> dict[str, Any]:
    scene, made = render_scene(spec), animated(spec, arm)
    first = scene.frames[:1]
    return {
        "gap_db": pixel_psnr(round_trip(first), first) - min(99.0, pixel_psnr(made[:1], first)),
        "identity": identity_of(spec, made, 0),
        "motion": float(reading(made)["motion"] == scene_words(spec)["motion"]),
        "flow_ratio": flow_ratio(made, scene.frames, scene.coverage[0] > 0.5) if moves(spec) else None,
    }


def moves(spec: SceneSpec) -> bool:
    """Whether the true clip has motion to compare with."""
    scene = render_scene(spec)
    return object_flow(scene.frames, union_dilated(scene.coverage[0] > 0.5, 8)) >= STILL


def add_arm(report: Report, specs: list[SceneSpec], arm: str) -> None:
    rows = [report.row(arm, scene_name(spec), lambda s=spec: measure(s, arm)) for spec in specs]  # type: ignore[misc]
    report.mean(f"{arm}_frame0_psnr_gap_db", [row["gap_db"] for row in rows])
    told = [row["identity"] for row in rows if row["identity"] is not None]
    report.mean(f"{arm}_identity", told or [0.0])
    report.mean(f"{arm}_motion_accuracy", [row["motion"] for row in rows])
    ratios = [row["flow_ratio"] for row in rows if row["flow_ratio"] is not None]
    report.number(f"{arm}_motion_ratio", motion_ratio(ratios))
    report.number(f"{arm}_motion_in_band", motion_in_band(ratios))
    report.number(f"{arm}_static_share", static_share(ratios))
    if arm == DEFAULT:
        report.number("identity_clips", float(len(told)))
        report.number("moving_clips", float(len(ratios)))


def add_bars(report: Report) -> None:
    found = report.summary
    for key in ("frame0_psnr_gap_db", "identity", "motion_accuracy", "motion_ratio", "motion_in_band", "static_share"):
        report.number(key, found[f"{DEFAULT}_{key}"])

    def of(arm: str) -> tuple[float, float, float, float]:
        """Higher is better."""
        return (
            -found[f"{arm}_frame0_psnr_gap_db"], found[f"{arm}_identity"], found[f"{arm}_motion_accuracy"],
            -abs(found[f"{arm}_motion_ratio"] - 1),
        )  # fmt: skip

    won = sum(own > plain for own, plain in zip(of(DEFAULT), of(PLAIN), strict=True))
    report.number("metrics_won_vs_plain_replacement", float(won))


def write_sheet(specs: list[SceneSpec]) -> None:
    clips, labels = [], []
    for spec in [specs[int(row)] for row in np.linspace(0, len(specs) - 1, SHEET_PICTURES + 2)[1:-1]]:
        clips += [animated(spec, arm) for arm in ("keep", DEFAULT, "move")]
        labels += [f"{caption(spec).text}: kept", "default", "let move"]
    save_picture(Path("assets/screenshots/image_animation.png"), contact_sheet(clips, 3, labels, frames_per_clip=5))


def main() -> None:
    options = parse_options(NAME, __doc__)
    code = (*CODE, *OWN_CODE, "benchmarks/completing", "benchmarks/image_animation.py")
    report = Report(NAME, options, code, WEIGHTS)
    specs = held_out_scenes("one thing", QUICK_PICTURES if report.quick else PICTURES, SEED)
    for arm in (*ARMS, STILL_ARM):
        add_arm(report, specs, arm)
    add_bars(report)
    if not report.quick:
        write_sheet(specs)
    report.finish()


if __name__ == "__main__":
    main()
