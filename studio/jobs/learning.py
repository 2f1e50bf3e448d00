"""What a job takes, learnt from jobs that are done. Pure arithmetic, no store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from studio.jobs.job import Estimate
from studio.jobs.run_history import Inputs, Run

# What these phases take does not depend on the size of the video.
FIXED_PHASES = frozenset({"loading", "encoding"})
NEIGHBOURS = 5
# Fields that say which part of the footage, and so are in its number of frames already.
WHICH_PART = frozenset({"start", "end"})
# Fields without which one run says nothing about another: other weights, other phases.
DECISIVE = ("model", "finish", "mode")
EVALUATIONS_PER_STEP = {"euler": 1, "midpoint": 2, "heun": 2, "rf_solver": 2}
MODEL_PHASES = frozenset({"inverting", "denoising", "checking"})


def pixels(fields: dict[str, Any], inputs: Inputs) -> float:
    """Pixels of all frames: of the input for a task about footage, else of all versions of the video that is made."""
    if is_footage(fields, inputs):
        return sum(_frame_pixels(facts) * _frames(facts, fields) for facts in _pictures(inputs))
    return math.prod(float(fields.get(name) or 1) for name in ("width", "height", "frames", "takes"))


def pixels_at_once(fields: dict[str, Any], inputs: Inputs) -> float:
    """Pixels that are in memory together: of one frame where footage passes through, else of all."""
    if is_footage(fields, inputs):
        return max(_frame_pixels(facts) for facts in _pictures(inputs))
    return pixels(fields, inputs)


def is_footage(fields: dict[str, Any], inputs: Inputs) -> bool:
    """Whether the length of the work is that of an input and not of the request itself."""
    return "frames" not in fields and bool(_pictures(inputs))


def _pictures(inputs: Inputs) -> list[dict[str, Any]]:
    return [facts for files in inputs.values() for facts in files if "width" in facts]


def _frame_pixels(facts: dict[str, Any]) -> float:
    return float(facts["width"] * facts["height"])


def _frames(facts: dict[str, Any], fields: dict[str, Any]) -> float:
    end = fields.get("end")
    seconds = facts["seconds"] if end is None else min(float(end), facts["seconds"])
    return max(1.0, (seconds - float(fields.get("start") or 0.0)) * facts["fps"])


def model_work(fields: dict[str, Any], inputs: Inputs) -> float:
    """Model evaluations × pixels, the number that denoising time is proportional to."""
    share = max(0.0, float(fields.get("guidance_end", 1)) - float(fields.get("guidance_start", 0)))
    branches = 1 + share if float(fields.get("guidance_scale", 1)) > 1 else 1
    per_step = EVALUATIONS_PER_STEP.get(str(fields.get("solver")), 1)
    return float(fields.get("steps") or 1) * per_step * branches * pixels(fields, inputs)


def estimate(fields: dict[str, Any], inputs: Inputs, finished: Sequence[Run]) -> Estimate:
    """Median over the finished jobs that are nearest, each phase scaled to this size.

    Args:
        fields: The request.
        inputs: Facts about its input files, see inputs.py.
        finished: Jobs of the same task, the latest first.
    """
    nearest = _nearest(fields, inputs, finished)
    if not nearest:
        return Estimate(None, 0)
    # A phase that a run did not have took no time: models stay loaded between jobs.
    phases = {
        phase: median(run.phase_seconds.get(phase, 0.0) * _scale(phase, fields, inputs, run) for run in nearest)
        for phase in {phase for run in nearest for phase in run.phase_seconds}
    }
    size, at_once = pixels(fields, inputs), pixels_at_once(fields, inputs)
    # Models and code keep their size, so a smaller picture does not need less memory in proportion.
    memory = [
        run.memory_bytes * max(1.0, at_once / pixels_at_once(run.fields, run.inputs))
        for run in nearest
        if run.memory_bytes
    ]
    disk = [run.disk_bytes * size / pixels(run.fields, run.inputs) for run in nearest if run.disk_bytes]
    return Estimate(
        sum(phases.values()), len(nearest), phases, median(memory) if memory else None, median(disk) if disk else None
    )


def _nearest(fields: dict[str, Any], inputs: Inputs, finished: Sequence[Run]) -> list[Run]:
    """With the same DECISIVE fields; for footage those that share most settings; of these the nearest in size."""
    runs = [run for run in finished if all(run.fields.get(name) == fields.get(name) for name in DECISIVE)]
    if is_footage(fields, inputs):
        # Twice the frame rate or eight times: the input alone does not say how much work that is.
        different = [_differences(fields, run.fields, set(inputs) | WHICH_PART) for run in runs]
        runs = [run for run, count in zip(runs, different, strict=True) if count == min(different)]
    work = model_work(fields, inputs)
    return sorted(runs, key=lambda run: abs(math.log(work / model_work(run.fields, run.inputs))))[:NEIGHBOURS]


def _differences(fields: dict[str, Any], known: dict[str, Any], without: set[str]) -> int:
    return sum(fields.get(name) != known.get(name) for name in {*fields, *known} - without)


def _scale(phase: str, fields: dict[str, Any], inputs: Inputs, run: Run) -> float:
    if phase in FIXED_PHASES:
        return 1.0
    measure = model_work if phase in MODEL_PHASES else pixels
    return measure(fields, inputs) / measure(run.fields, run.inputs)
