"""Memory that runs out in the middle of a job: it goes on from the failed step and gives the same frames."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.held_out.rendering import FIRST_SEED, bundled, geometry_of
from benchmarks.shared.report import Report
from benchmarks.switches.sampling import frames_of, sampled_tokens
from engines.backend.memory.meter import StorageMeter
from engines.backend.memory.plan import JobShape, Placement, possible_plans
from engines.backend.memory.small_weights import WeightFormat
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.sampling.loop import Step

STEPS, FAILS_AT = 8, 5


def add_recovery(report: Report) -> None:
    """oom_recovered: 1 if the job ended, no step was made twice and the frames are those of an undisturbed job."""
    row = report.row("out of memory at step 5", "one thing", _recovered)
    report.number("oom_recovered", row["recovered"])


def _recovered() -> dict[str, float]:
    family, spec = bundled(), held_out_scenes("one thing", 2, FIRST_SEED)[0]
    geometry = geometry_of(spec)
    steps: list[int] = []
    failures: list[int] = []

    def note(step: Step) -> None:
        steps.append(step.interval)

    def render() -> np.ndarray:
        steps.clear()
        return frames_of(sampled_tokens(spec, STEPS, note), spec)

    def fail_once(*_: object) -> None:
        if len(steps) == FAILS_AT and not failures:
            failures.append(FAILS_AT)
            with StorageMeter(budget=1 << 20):
                torch.zeros(1 << 20)

    undisturbed = render()
    shape = JobShape(geometry.grid, branches=2)
    whole = [
        plan for plan in possible_plans(family.card, family.folder, shape, family.dtype)
        if plan.weights is WeightFormat.AS_COMPUTED and not plan.tiled and plan.feed_forward_pieces == 1
    ]  # fmt: skip
    family.residence.follow(whole)
    hook = family.transformer.register_forward_pre_hook(fail_once)
    try:
        frames = render()
        went_on = family.residence.plan
    finally:
        hook.remove()
        family.residence.follow(whole)
    same = bool(np.array_equal(frames, undisturbed))
    another = went_on is not None and went_on.placement is not Placement.RESIDENT
    in_order = steps == list(range(STEPS))
    return {"recovered": float(bool(failures) and same and another and in_order), "failures": float(len(failures))}
