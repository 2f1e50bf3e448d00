"""Every inversion solver with 16, 32 and 48 model calls each way: the round trip, and whether its noise is noise.

Held-out clips of one thing, without guidance, under their own captions. Arms: SOLVER (from the clip itself, as papers
do) and SOLVER_begun (from the clip with a tenth of noise, as the studio does; the last step of the way back takes it
off again); rf_inversion (its way back is given the source: no round trip). The same on a tiny random Wan.

Summary, for each arm and number N of calls: ARM_N_rmse, _latent_psnr, _pixel_psnr, _noise_std, _noise_correlation,
_noise_kurtosis, _seconds; SOLVER_bytes; wan_SOLVER_N_rmse; vae_pixel_psnr. Bars: rf_solver_error_ratio_vs_euler (rmse
at 48), fireflow_gain_vs_euler_db (latent, at 16), order_error_max (declared less measured order, on data whose flow is
known), best_roundtrip_gap_db (tokenizer's round trip less the best of the solvers that begin back from the top latent
alone; at 48 calls), default_noise_std_error and default_neighbour_correlation (of that solver), best_solver (its place
in the list of solvers).
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any, get_args

import torch

from benchmarks.held_out.rendering import (
    CODE,
    FIRST_SEED,
    WEIGHTS,
    bundled,
    decoded,
    geometry_of,
    round_trip,
    scene_name,
)
from benchmarks.inverting.arms import (
    FIRST_LEVEL,
    Clip,
    numbers_of,
    peak_bytes,
    rf_inversion_back,
    rf_inversion_noise,
    there_and_back,
)
from benchmarks.inverting.orders import order_error
from benchmarks.shared.report import Report, parse_options
from engines.backend.families.base import Family
from engines.backend.loading import load_family
from engines.backend.tiny import card_for, save_tiny_wan
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec
from engines.inversion.solvers import InversionSolver
from engines.metrics.psnr import pixel_psnr

NAME = "inversion"
CALLS, QUICK_CALLS = (16, 32, 48), (16, 48)
CLIPS, QUICK_CLIPS, WAN_CLIPS = 48, 2, 4
SOLVERS: tuple[InversionSolver, ...] = get_args(InversionSolver)
# The way back of the reversible leapfrog is given the velocity that the way up ended with.
FROM_TOP_ALONE = tuple(solver for solver in SOLVERS if solver != "reversible_leapfrog")
KEYS = ("rmse", "latent_psnr", "noise_std", "noise_correlation", "noise_kurtosis", "seconds")


def clip_of(spec: SceneSpec) -> Clip:
    geometry, family = geometry_of(spec), bundled()
    clean = family.pack(family.encode(render_scene(spec).frames), geometry).values
    return Clip(family, geometry, clean, family.encode_prompt([caption(spec).text]), spec.seed)


def measure(spec: SceneSpec, solver: InversionSolver, calls: int, first_level: float) -> dict[str, Any]:
    clip = clip_of(spec)
    made = there_and_back(clip, solver, calls, first_level)
    shown = decoded(clip.family.unpack(made.back, clip.geometry))
    return {
        **numbers_of(clip, made.top, made.back),
        "pixel_psnr": pixel_psnr(shown, render_scene(spec).frames),
        "seconds": made.seconds,
        "evaluations": made.evaluations,
    }


def measure_rf_inversion(spec: SceneSpec, calls: int) -> dict[str, Any]:
    clip = clip_of(spec)
    top = rf_inversion_noise(clip, calls)
    return numbers_of(clip, top, rf_inversion_back(clip, top, calls))


@cache
def tiny_wan() -> Family:
    folder = save_tiny_wan(Path(tempfile.mkdtemp(prefix="framewright_tiny_")))
    return load_family(card_for(folder, "wan_2_1"), folder, torch.device("cpu"), torch.float32)


def measure_wan(row: int, solver: InversionSolver, calls: int) -> dict[str, Any]:
    """Random weights are smooth: this says that the solvers do with Wan what they do, not how good Wan is."""
    family = tiny_wan()
    geometry = family.geometry(64, 96, 9, 16)
    clean = torch.randn(1, geometry.tokens, family.channels, generator=torch.Generator().manual_seed(row))
    clip = Clip(family, geometry, clean, family.encode_prompt(["a red fox"]), row)
    made = there_and_back(clip, solver, calls, 0.0)
    return numbers_of(clip, made.top, made.back)


def add_arm(report: Report, specs: list[SceneSpec], solver: InversionSolver, calls: int, begun: bool) -> None:
    arm, first_level = (f"{solver}_begun", FIRST_LEVEL) if begun else (solver, 0.0)
    rows = [
        report.row(
            f"{arm}, {calls}", scene_name(spec),
            lambda s=spec: measure(s, solver, calls, first_level),  # type: ignore[misc]
        )
        for spec in specs
    ]  # fmt: skip
    for key in (*KEYS, "pixel_psnr"):
        report.mean(f"{arm}_{calls}_{key}", [row[key] for row in rows])


def main() -> None:
    options = parse_options(NAME, __doc__)
    code = (*CODE, "engines/inversion", "benchmarks/inverting", "benchmarks/inversion.py")
    report = Report(NAME, options, code, WEIGHTS)
    specs = held_out_scenes("one thing", QUICK_CLIPS if report.quick else CLIPS, FIRST_SEED + 4)
    all_calls = QUICK_CALLS if report.quick else CALLS
    trips = [
        report.row("tokenizer", scene_name(spec), lambda s=spec: {"pixel_psnr": _tokenizer_psnr(s)})  # type: ignore[misc]
        for spec in specs
    ]
    report.mean("vae_pixel_psnr", [row["pixel_psnr"] for row in trips])
    for calls in all_calls:
        for solver in SOLVERS:
            for begun in (False, True):
                add_arm(report, specs, solver, calls, begun)
        rows = [
            report.row(f"rf_inversion, {calls}", scene_name(spec), lambda s=spec, n=calls: measure_rf_inversion(s, n))  # type: ignore[misc]
            for spec in specs
        ]
        for key in KEYS[:-1]:
            report.mean(f"rf_inversion_{calls}_{key}", [row[key] for row in rows])
        add_wan(report, calls)
    for solver in SOLVERS:
        report.number(f"{solver}_bytes", float(peak_bytes(clip_of(specs[0]), solver)))
    add_bars(report, max(all_calls))
    report.finish()


def _tokenizer_psnr(spec: SceneSpec) -> float:
    frames = render_scene(spec).frames
    return pixel_psnr(round_trip(frames), frames)


def add_wan(report: Report, calls: int) -> None:
    for solver in SOLVERS:
        rows = [
            report.row(
                f"wan {solver}, {calls}", f"noise {row}",
                lambda r=row, s=solver: measure_wan(r, s, calls),  # type: ignore[misc]
            )
            for row in range(1 if report.quick else WAN_CLIPS)
        ]  # fmt: skip
        report.mean(f"wan_{solver}_{calls}_rmse", [row["rmse"] for row in rows])


def add_bars(report: Report, most: int) -> None:
    found = report.summary
    report.number("rf_solver_error_ratio_vs_euler", found[f"rf_solver_{most}_rmse"] / found[f"euler_{most}_rmse"])
    report.number("fireflow_gain_vs_euler_db", found["fireflow_16_latent_psnr"] - found["euler_16_latent_psnr"])
    report.number("order_error_max", max(order_error(solver) for solver in SOLVERS))
    gaps = {solver: found["vae_pixel_psnr"] - found[f"{solver}_begun_{most}_pixel_psnr"] for solver in FROM_TOP_ALONE}
    best = min(gaps, key=lambda solver: gaps[solver])
    report.number("best_roundtrip_gap_db", gaps[best])
    report.number("best_solver", float(SOLVERS.index(best)))
    report.number("default_noise_std_error", abs(found[f"{best}_begun_{most}_noise_std"] - 1))
    report.number("default_neighbour_correlation", abs(found[f"{best}_begun_{most}_noise_correlation"]))


if __name__ == "__main__":
    main()
