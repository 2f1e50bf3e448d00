"""What the bundled model renders from held-out prompts, and how fast.

Judge B reads clips sampled from combinations that no training saw, with the request's defaults. Controls: the same
clips against shuffled prompts, chance, and the tokenizer's reconstructions of true renders. Time stands beside
diffusers' own LTXPipeline, interleaved: same weights, rotary base, coordinates and steps.

Summary, of single things: noun, motion, scene, all_three (each also _shuffled and _chance), vae_noun, vae_motion,
vae_scene (Judge B on reconstructions / on the originals), vae_psnr, object_psnr, diorama_fd with diorama_fd_floor
(between two sets of true renders of that many clips). Of two things: two_objects (both are there), arrangement (each
where the prompt says). Of figures: figure_action, garment_pattern, garment_clothes (pattern and both colours),
figure_scene. Controls _shuffled, _vae (on reconstructions) and _truth (on true renders) beside them. Then
denoising_seconds, ratio_vs_diffusers.
A full run also writes assets/screenshots/held_out.png: prompts chosen by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.held_out.against_diffusers import add_time
from benchmarks.held_out.rendering import (
    CODE,
    FIRST_SEED,
    WEIGHTS,
    arranged,
    judge_b,
    reading,
    rendered,
    round_trip,
    scene_name,
)
from benchmarks.shared.report import Report, parse_options
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.metrics.adherence import adherence, chance, shuffled
from engines.metrics.frechet import diorama_fd
from engines.metrics.psnr import object_psnr, pixel_psnr

NAME = "text_to_video"
# Kind of scene → prompts of a full run, of a quick one, on the sheet.
PROMPTS = {"one thing": (160, 10, 8), "two things": (96, 5, 4), "figure": (96, 5, 4)}
# Kind of scene → key of the summary → what of adherence it is.
MEASURED = {
    "one thing": {"noun": "noun", "motion": "motion", "scene": "scene", "all_three": "all_three"},
    "two things": {"two_objects": "two_objects"},
    "figure": {
        "figure_action": "action", "garment_pattern": "pattern", "garment_clothes": "clothes", "figure_scene": "scene",
    },
}  # fmt: skip
Accuracies = dict[str, npt.NDArray[np.float64]]


def measure_reconstruction(spec: SceneSpec) -> dict[str, Any]:
    """A true render through the tokenizer and back: what Judge B reads before and after, and how close it is."""
    truth = render_scene(spec)
    decoded = round_trip(truth.frames)
    return {
        "words": reading(decoded),
        "original": reading(truth.frames),
        "psnr": pixel_psnr(decoded, truth.frames),
        "object_psnr": object_psnr(decoded, truth.frames, truth.coverage.sum(0).clip(0, 1)),
    }


def add_kind(report: Report, kind: str, specs: Sequence[SceneSpec]) -> list[dict[str, Any]]:
    """Accuracies of one kind of scene. Returns: the rows of the reconstructions."""
    sampled = [
        report.row(f"sampled {kind}", scene_name(spec), lambda s=spec: {"words": reading(rendered(s))})  # type: ignore[misc]
        for spec in specs
    ]
    again = [
        report.row(f"reconstructed {kind}", scene_name(spec), lambda s=spec: measure_reconstruction(s))  # type: ignore[misc]
        for spec in specs
    ]
    wanted = [scene_words(spec, decided=False) for spec in specs]
    right = adherence([row["words"] for row in sampled], wanted)
    control = adherence([row["words"] for row in sampled], shuffled(wanted))
    after = adherence([row["words"] for row in again], wanted)
    before = adherence([row["original"] for row in again], wanted)
    blind = chance(judge_b())
    for key, name in MEASURED[kind].items():
        report.mean(key, right[name].tolist())
        report.mean(f"{key}_shuffled", control[name].tolist())
        if name in blind:
            report.number(f"{key}_chance", blind[name])
        report.number(f"{key}_truth", float(before[name].mean()))
        report.mean(f"{key}_vae", after[name].tolist())
    return again


def add_arrangement(report: Report, specs: Sequence[SceneSpec]) -> None:
    """Whether both things stand where the caption says; controls: true renders, and the clip of another caption."""
    rows = [
        report.row("arranged", scene_name(spec), lambda s=spec, o=other: measure_arrangement(s, o))  # type: ignore[misc]
        for spec, other in zip(specs, shuffled(specs), strict=True)
    ]
    for key in ("arrangement", "arrangement_shuffled", "arrangement_truth"):
        report.mean(key, [row[key] for row in rows])


def measure_arrangement(spec: SceneSpec, other: SceneSpec) -> dict[str, float]:
    return {
        "arrangement": arranged(rendered(spec), spec),
        "arrangement_shuffled": arranged(rendered(spec), other),
        "arrangement_truth": arranged(render_scene(spec).frames, spec),
    }


def add_tokenizer(report: Report, rows: Sequence[dict[str, Any]], specs: Sequence[SceneSpec]) -> None:
    """vae_X: accuracy on reconstructions of single things relative to accuracy on the originals."""
    for name in ("noun", "motion", "scene"):
        report.number(f"vae_{name}", report.summary[f"{name}_vae"] / report.summary[f"{name}_truth"])
    report.mean("vae_psnr", [row["psnr"] for row in rows])
    report.mean("object_psnr", [row["object_psnr"] for row in rows])


def add_distance(report: Report, specs: Sequence[SceneSpec]) -> None:
    def truths(offset: int) -> list[npt.NDArray[np.uint8]]:
        scenes = held_out_scenes("one thing", len(specs), FIRST_SEED + offset)
        return [render_scene(spec).frames for spec in scenes]

    report.number("diorama_fd", diorama_fd(judge_b(), [rendered(spec) for spec in specs], truths(10_000)))
    report.number("diorama_fd_floor", diorama_fd(judge_b(), truths(20_000), truths(10_000)))


def write_sheet(scenes: dict[str, list[SceneSpec]]) -> None:
    """Prompts at equal distances in each kind's list: nobody chose them."""
    shown = [
        scenes[kind][int(index)]
        for kind, (_, _, count) in PROMPTS.items()
        for index in np.linspace(0, len(scenes[kind]) - 1, count)
    ]
    clips, labels = [rendered(spec) for spec in shown], [caption(spec).text for spec in shown]
    save_picture(Path("assets/screenshots/held_out.png"), contact_sheet(clips, 2, labels, frames_per_clip=6))


def main() -> None:
    options = parse_options(NAME, __doc__)
    report = Report(NAME, options, (*CODE, "benchmarks/text_to_video.py"), WEIGHTS)
    scenes = {
        kind: held_out_scenes(kind, counts[1] if report.quick else counts[0], FIRST_SEED)
        for kind, counts in PROMPTS.items()
    }
    for kind, specs in scenes.items():
        again = add_kind(report, kind, specs)
        if kind == "one thing":
            add_tokenizer(report, again, specs)
            add_distance(report, specs)
        if kind == "two things":
            add_arrangement(report, specs)
    add_time(report, steps=20, pairs=15)
    if not report.quick:
        write_sheet(scenes)
    report.finish()


if __name__ == "__main__":
    main()
