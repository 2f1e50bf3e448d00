"""Shapes that the bundled model was trained for, against its usual 96 × 96 × 17: the same held-out prompts in each.

Judge B fits a clip that is not square between grey bars; what it reads of true renders of that shape stands beside.

Summary, for each SHAPE (width x height, or frames): noun_SHAPE, motion_SHAPE, noun_truth_SHAPE, motion_truth_SHAPE,
noun_ratio_SHAPE = noun_SHAPE / noun of 96 × 96 × 17, and motion_ratio_SHAPE.
A full run also writes assets/screenshots/sizes.png.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.held_out.rendering import CODE, FIRST_SEED, WEIGHTS, reading, rendered, scene_name
from benchmarks.shared.report import Report, parse_options
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.metrics.adherence import adherence

NAME = "sizes"
PROMPTS, QUICK_PROMPTS, SHEET_PROMPTS = 80, 4, 3
USUAL = "96x96"
# Shape → width, height, frames.
SHAPES = {
    USUAL: (96, 96, 17), "128x64": (128, 64, 17), "64x128": (64, 128, 17), "25_frames": (96, 96, 25),
    "9_frames": (96, 96, 9), "picture": (96, 96, 1),
}  # fmt: skip


def measure(spec: SceneSpec) -> dict[str, Any]:
    return {"words": reading(rendered(spec)), "truth": reading(render_scene(spec).frames)}


def write_sheet(scenes: dict[str, list[SceneSpec]]) -> None:
    """All on black of one size, so that shapes can be compared."""
    clips, labels = [], []
    for shape in (USUAL, "128x64", "64x128", "25_frames"):
        for index in np.linspace(0, len(scenes[shape]) - 1, SHEET_PROMPTS):
            spec = scenes[shape][int(index)]
            canvas = np.zeros((spec.frames, 128, 128, 3), np.uint8)
            top, left = (128 - spec.height) // 2, (128 - spec.width) // 2
            canvas[:, top : top + spec.height, left : left + spec.width] = rendered(spec)
            clips.append(canvas)
            labels.append(f"{shape}: {caption(spec).text}")
    sheet = contact_sheet(clips, SHEET_PROMPTS, labels, frames_per_clip=4)
    save_picture(Path("assets/screenshots/sizes.png"), sheet)


def main() -> None:
    options = parse_options(NAME, __doc__)
    report = Report(NAME, options, (*CODE, "benchmarks/sizes.py"), WEIGHTS)
    count = QUICK_PROMPTS if report.quick else PROMPTS
    scenes = {
        shape: held_out_scenes("one thing", count, FIRST_SEED + 2, frames=frames, height=height, width=width)
        for shape, (width, height, frames) in SHAPES.items()
    }
    for shape, specs in scenes.items():
        rows = [report.row(shape, scene_name(spec), lambda s=spec: measure(s)) for spec in specs]  # type: ignore[misc]
        wanted = [scene_words(spec) for spec in specs]
        heads = ("noun",) if shape == "picture" else ("noun", "motion")
        for of, name in (("words", ""), ("truth", "truth_")):
            right = adherence([row[of] for row in rows], wanted)
            for head in heads:
                report.mean(f"{head}_{name}{shape}", right[head].tolist())
        for head in heads if shape != USUAL else ():
            report.number(
                f"{head}_ratio_{shape}", report.summary[f"{head}_{shape}"] / report.summary[f"{head}_{USUAL}"]
            )
    if not report.quick:
        write_sheet(scenes)
    report.finish()


if __name__ == "__main__":
    main()
