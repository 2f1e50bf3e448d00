"""What lies between the first and the last frame of a clip: by a model's keyframe tokens, by ViBiDSampler, by flow.

Clips are held-out scenes of one thing, 17 frames, in two halves: those between whose ends flow cannot follow (what the
Interpolate tab proposes a model for) and the others. Arms: keyframes, both_ends, flow (RIFE), linear (a fade), and
start (the first picture and the words alone).

PSNR is inside the union of the true masks, dilated 8 pixels, of frames 1 … 15; a clip counts at most 40 dB. Summary,
for each ARM: ARM_psnr_far and ARM_psnr_near, ARM_largest_step (largest frame change / median, far clips).
gain_vs_linear_db and gain_vs_rife_large_motion_db: keyframes against both, of the far clips; gain_vs_linear_near_db;
both_ends_vs_keyframes_db; far_clips, near_clips. A full run also writes assets/screenshots/keyframes.png.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.held_out.rendering import CODE, FIRST_SEED, WEIGHTS, Frames, bundled, geometry_of, kept, scene_name
from benchmarks.shared.report import Report, parse_options
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec
from engines.footage.footage import ClipFootage
from engines.image_animation.methods import Animation, animate
from engines.interpolation.engine import GUIDANCE, STEPS, InterpolationEngine
from engines.interpolation.generated import WAYS, Between
from engines.interpolation.interpolated import Rate
from engines.interpolation.pictures import backwards, is_too_far
from engines.media.clip import Clip
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.metrics.psnr import masked_psnr

NAME = "keyframes"
CLIPS, QUICK_CLIPS, SHEET_CLIPS, SEED = 96, 8, 4, FIRST_SEED + 81
MOST_DB = 40.0
GENERATED = {"keyframes": "keyframes", "both_ends": "both ends"}
ARMS = (*GENERATED, "flow", "linear", "start")
OWN_CODE = ("engines/interpolation", "engines/footage", "engines/image_animation", "benchmarks/keyframes.py")


@cache
def smoother() -> InterpolationEngine:
    return InterpolationEngine()


def between(spec: SceneSpec, arm: str) -> Frames:
    """uint8 [T, H, W, 3] from the scene's first and last frame."""
    truth = render_scene(spec).frames
    if arm == "linear":
        shares = np.linspace(0, 1, len(truth))[:, None, None, None]
        return np.asarray(np.rint((1 - shares) * truth[0] + shares * truth[-1]), np.uint8)
    return kept(f"between, {arm}: {scene_name(spec)}", lambda: _made(spec, arm, truth), OWN_CODE)


def _made(spec: SceneSpec, arm: str, truth: Frames) -> Frames:
    if arm == "flow":
        ends = ClipFootage(Clip(np.stack([truth[0], truth[-1]]), Fraction(1)))
        stage = smoother().stage(ends, Rate(Fraction(len(truth) - 1)), find_cuts=False, drop_repeats=False)
        return np.stack([np.asarray(frame, np.uint8) for frame in stage.frames(range(len(truth)))])
    family, said = bundled(), caption(spec).text
    prompts = [family.encode_prompt([text]) for text in (said, backwards(said), "")]
    if arm == "start":
        alone = Animation(
            family, geometry_of(spec), truth[0], {}, prompts[0], prompts[2], "word guidance", 0.0, STEPS, GUIDANCE,
            spec.seed,
        )  # fmt: skip
        return np.concatenate(list(family.decode(animate(alone))))
    forwards, back, empty = prompts
    asked = Between(
        family, geometry_of(spec), truth[0], truth[-1], forwards, back, empty, STEPS, GUIDANCE, spec.seed
    )  # fmt: skip
    return WAYS[GENERATED[arm]](asked)


def measure(spec: SceneSpec, arm: str) -> dict[str, Any]:
    scene, made = render_scene(spec), between(spec, arm)
    masks, inner = scene.coverage[0] > 0.5, slice(1, len(made) - 1)
    changes = np.abs(np.diff(made.astype(np.int16), axis=0)).mean((1, 2, 3))
    return {
        "psnr": min(MOST_DB, masked_psnr(made[inner], scene.frames[inner], masks)),
        "largest_step": float(changes.max() / max(1e-3, float(np.median(changes)))),
    }


def add_arm(report: Report, halves: dict[str, list[SceneSpec]], arm: str) -> None:
    for half, specs in halves.items():
        rows = [report.row(arm, scene_name(spec), lambda s=spec: measure(s, arm)) for spec in specs]  # type: ignore[misc]
        report.mean(f"{arm}_psnr_{half}", [row["psnr"] for row in rows])
        if half == "far":
            report.number(f"{arm}_largest_step", float(np.median([row["largest_step"] for row in rows])))


def write_sheet(specs: list[SceneSpec]) -> None:
    clips, labels = [], []
    for spec in [specs[int(row)] for row in np.linspace(0, len(specs) - 1, SHEET_CLIPS + 2)[1:-1]]:
        clips += [between(spec, arm) for arm in ("keyframes", "both_ends", "flow")] + [render_scene(spec).frames]
        labels += [f"{caption(spec).text}: {arm}" for arm in ("keyframes", "both ends", "flow", "truth")]
    save_picture(Path("assets/screenshots/keyframes.png"), contact_sheet(clips, 4, labels, frames_per_clip=5))


def main() -> None:
    options = parse_options(NAME, __doc__)
    report = Report(NAME, options, (*CODE, *OWN_CODE), WEIGHTS)
    specs = held_out_scenes("one thing", QUICK_CLIPS if report.quick else CLIPS, SEED)
    far = {scene_name(spec): is_too_far(*render_scene(spec).frames[[0, -1]]) for spec in specs}
    halves = {
        half: [spec for spec in specs if far[scene_name(spec)] == wanted]
        for half, wanted in (("far", True), ("near", False))
    }
    for arm in ARMS:
        add_arm(report, halves, arm)
    found = report.summary
    report.number("gain_vs_linear_db", found["keyframes_psnr_far"] - found["linear_psnr_far"])
    report.number("gain_vs_rife_large_motion_db", found["keyframes_psnr_far"] - found["flow_psnr_far"])
    report.number("gain_vs_linear_near_db", found["keyframes_psnr_near"] - found["linear_psnr_near"])
    report.number("both_ends_vs_keyframes_db", found["both_ends_psnr_far"] - found["keyframes_psnr_far"])
    for half, those in halves.items():
        report.number(f"{half}_clips", float(len(those)))
    if not report.quick:
        write_sheet(halves["far"])
    report.finish()


if __name__ == "__main__":
    main()
