"""Weights in fewer bits beside whole ones: how far the frames move."""

from __future__ import annotations

from benchmarks.held_out.rendering import (
    FIRST_SEED,
    Frames,
    bundled,
    geometry_of,
    scene_name,
)
from benchmarks.shared.report import Report
from benchmarks.switches.sampling import frames_of, sampled_tokens
from engines.backend.memory.plan import JobShape, Placement, possible_plans
from engines.backend.memory.small_weights import WeightFormat
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec
from engines.metrics.psnr import pixel_psnr

STEPS = 20


def add_weight_formats(report: Report, clips: int) -> None:
    """weights_psnr_db_FORMAT: frames with the transformer's matrices in that format against those with whole ones."""
    specs = held_out_scenes("one thing", clips, FIRST_SEED)
    whole = {scene_name(spec): _rendered(WeightFormat.AS_COMPUTED, spec) for spec in specs}
    for form in list(WeightFormat)[1:]:
        rows = [
            report.row(
                f"weights {form}",
                scene_name(spec),
                lambda f=form, s=spec: {"psnr": pixel_psnr(_rendered(f, s), whole[scene_name(s)])},  # type: ignore[misc]
            )
            for spec in specs
        ]
        report.mean(f"weights_psnr_db_{form}", [row["psnr"] for row in rows])
    _lay(WeightFormat.AS_COMPUTED, specs[0])


def _rendered(form: WeightFormat, spec: SceneSpec) -> Frames:
    _lay(form, spec)
    return frames_of(sampled_tokens(spec, STEPS), spec)


def _lay(form: WeightFormat, spec: SceneSpec) -> None:
    family = bundled()
    shape = JobShape(geometry_of(spec).grid, branches=2)
    every = possible_plans(family.card, family.folder, shape, family.dtype)
    family.residence.follow([
        next(
            plan for plan in every
            if (plan.placement, plan.weights) == (Placement.RESIDENT, form) and not plan.tiled
        )
    ])  # fmt: skip
