"""Each step cache beside none: the same prompts, noise and steps on the bundled model.

Shapes: tokens [1, N, C]; frames uint8 [T, H, W, 3].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial

import torch
import yaml

from benchmarks.held_out.rendering import (
    FIRST_SEED,
    bundled,
    geometry_of,
    scene_name,
)
from benchmarks.shared.report import Report
from benchmarks.shared.timing import LEAST_PAIRS, interleaved
from benchmarks.switches.sampling import frames_of, sampled_tokens
from engines.backend.memory.dry_run import step_cache_bytes
from engines.backend.step_cache.kinds import COSTS, StepCache, step_caches, why_not
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec
from engines.metrics.psnr import latent_psnr, pixel_psnr

STEPS, GOOD_DB = 30, 28.0


def add_step_caches(report: Report, clips: int) -> None:
    """Per cache: speedup_X (time without over time with it), psnr_db_X of frames, latent_psnr_db_X, kept_bytes_X; and
    cache_speedup with cache_psnr_db: the fastest one whose frames are within 28 dB of those without."""
    specs = _specs(clips)
    found: dict[StepCache, tuple[float, float]] = {}
    for kind in step_caches():
        if why_not(kind, bundled().card):
            continue
        rows = [report.row(f"{kind} nearness", scene_name(spec), partial(_nearness, kind, spec)) for spec in specs]
        report.mean(f"psnr_db_{kind}", [row["psnr"] for row in rows])
        report.mean(f"latent_psnr_db_{kind}", [row["latent_psnr"] for row in rows])
        report.number(f"kept_bytes_{kind}", _kept(kind, specs[0]))
        timed = report.row(f"{kind} time", scene_name(specs[0]), partial(_speedup, kind, specs[0]))
        report.number(f"speedup_{kind}", timed["speedup"])
        found[kind] = (timed["speedup"], report.summary[f"psnr_db_{kind}"])
    if not report.quick:
        write_costs(report.summary, list(found))
    good = {kind: both for kind, both in found.items() if both[1] >= GOOD_DB} or found
    fastest = max(good, key=lambda kind: good[kind][0])
    report.number("cache_speedup", found[fastest][0])
    report.number("cache_psnr_db", found[fastest][1])


def write_costs(summary: Mapping[str, float], kinds: Sequence[StepCache]) -> None:
    """presets/step_cache_costs.yaml: what the page says beside each cache."""
    costs = {
        kind: {
            "speedup": round(summary[f"speedup_{kind}"], 2),
            "psnr_db": round(summary[f"psnr_db_{kind}"], 1),
            "kept_bytes": round(summary[f"kept_bytes_{kind}"]),
        }
        for kind in kinds
    }
    COSTS.write_text("# Written by a full run of benchmarks.backend.\n" + yaml.safe_dump(costs), encoding="utf-8")


def _specs(clips: int) -> list[SceneSpec]:
    half = clips // 2
    return [*held_out_scenes("one thing", clips - half, FIRST_SEED), *held_out_scenes("two things", half, FIRST_SEED)]


@cache
def _made(kind: StepCache, spec: SceneSpec) -> torch.Tensor:
    """Tokens with this cache; "off" is without."""
    with bundled().cached(kind, STEPS):
        return sampled_tokens(spec, STEPS)


def _nearness(kind: StepCache, spec: SceneSpec) -> dict[str, float]:
    with_it, without = _made(kind, spec), _made("off", spec)
    frames, reference = frames_of(with_it, spec), frames_of(without, spec)
    return {"psnr": min(99.0, pixel_psnr(frames, reference)), "latent_psnr": min(99.0, latent_psnr(with_it, without))}


def _speedup(kind: StepCache, spec: SceneSpec) -> dict[str, float]:
    uncached = _made.__wrapped__
    times = interleaved(lambda: uncached(kind, spec), lambda: uncached("off", spec), LEAST_PAIRS)
    return {"speedup": 1 / times.ratio, "seconds": times.seconds}


def _kept(kind: StepCache, spec: SceneSpec) -> float:
    family, geometry = bundled(), geometry_of(spec)
    text = family.card.facts.max_text_tokens
    ratios = family.card.facts.mag_ratios
    folder = family.folder / "transformer"
    return float(step_cache_bytes(family.card.family, folder, geometry.grid, 2, text, family.dtype, kind, ratios))
