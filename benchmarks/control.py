"""Clips that follow edges, depth or a mask, by a light control branch beside a full one and none (row 1, RelaCtrl).

Held-out scenes of one thing: the branch is shown the edges, the depth or the mask of the true render, the words are the
scene's caption. The full branch copies every block; the light one has shuffle mixers at the layers that are worth most.

Summary: for each KIND (edges, depth, mask) and ARM (none, light, full) KIND_ARM_edge_f1 (edges of the clip on those of
the scene, within a pixel) and KIND_ARM_noun; edge_f1_truth_round_trip (of the scene after the tokenizer). Bars:
edge_f1_ratio_light_vs_full, parameter_ratio.
A full run also writes assets/screenshots/control.png: what is shown, and what came of it, chosen by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.following.arms import ARMS, BRANCHES, branch, edges_of, followed, measure_followed
from benchmarks.held_out.rendering import CODE, FIRST_SEED, WEIGHTS, round_trip, scene_name
from benchmarks.shared.report import Report, parse_options
from engines.conditioning.control.branch import KINDS
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.metrics.edges import edge_f1
from engines.training.control import condition_video

NAME = "control"
CLIPS, QUICK_CLIPS, SHEET_CLIPS, SEED = 32, 2, 2, FIRST_SEED + 21


def add_arms(report: Report, specs: Sequence[SceneSpec]) -> None:
    # Without a branch the clip is the same, whatever would be followed.
    alone = _rows(report, specs, KINDS[0], "none")
    for kind in KINDS:
        for arm in ARMS:
            rows = alone if arm == "none" else _rows(report, specs, kind, arm)
            for key in ("edge_f1", "noun"):
                report.mean(f"{kind}_{arm}_{key}", [row[key] for row in rows])


def _rows(report: Report, specs: Sequence[SceneSpec], kind: str, arm: str) -> list[dict[str, Any]]:
    name = arm if arm == "none" else f"{kind}, {arm}"
    return [
        report.row(name, scene_name(spec), lambda s=spec: measure_followed(s, kind, arm))  # type: ignore[misc]
        for spec in specs
    ]


def add_limit(report: Report, specs: Sequence[SceneSpec]) -> None:
    """What the tokenizer alone leaves of the edges."""

    def measure(spec: SceneSpec) -> dict[str, float]:
        frames = render_scene(spec).frames
        return {"edge_f1": edge_f1(edges_of(round_trip(frames)), edges_of(frames))}

    rows = [report.row("round trip", scene_name(spec), lambda s=spec: measure(s)) for spec in specs]  # type: ignore[misc]
    report.mean("edge_f1_truth_round_trip", [row["edge_f1"] for row in rows])


def write_sheet(specs: Sequence[SceneSpec]) -> None:
    shown, labels = [], []
    for kind in KINDS:
        for spec in [specs[int(row)] for row in np.linspace(0, len(specs) - 1, SHEET_CLIPS + 2)[1:-1]]:
            shown += [condition_video(render_scene(spec, truth=True), kind), followed(spec, kind, branch("light"))]
            labels += [kind, caption(spec).text]
    save_picture(Path("assets/screenshots/control.png"), contact_sheet(shown, 2, labels, frames_per_clip=6))


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_options(NAME, __doc__, arguments)
    code = [*CODE, "engines/training/control.py", "benchmarks/following", "benchmarks/control.py"]
    report = Report(NAME, options, code=code, weights=[*WEIGHTS, *BRANCHES.values()])
    specs = held_out_scenes("one thing", QUICK_CLIPS if options.quick else CLIPS, SEED)
    add_arms(report, specs)
    add_limit(report, specs)
    found = report.summary
    report.number("edge_f1_ratio_light_vs_full", found["edges_light_edge_f1"] / found["edges_full_edge_f1"])
    light, full = (sum(part.numel() for part in branch(arm).parameters()) for arm in ("light", "full"))
    report.number("parameter_ratio", light / full)
    if not options.quick:
        write_sheet(specs)
    report.finish()


if __name__ == "__main__":
    main()
