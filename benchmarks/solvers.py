"""How near each solver comes to the exact path with few evaluations of the bundled model.

Every solver at 5, 10, 20 and 40 evaluations (a guided pair counts as one) on held-out prompts, from the same noise as a
reference of 200 Euler steps. A solver of two evaluations a step makes half the steps; where the budget is odd the last
evaluation is left unused, never exceeded.

Summary: SOLVER_EVALUATIONS_psnr (latents against the reference, dB), SOLVER_EVALUATIONS_all_three (Judge B),
SOLVER_EVALUATIONS_used; reference_all_three; best_at_EVALUATIONS_gain_db (best solver − Euler).
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.held_out.rendering import (
    CODE,
    FIRST_SEED,
    WEIGHTS,
    bundled,
    decoded,
    geometry_of,
    guidance_of,
    kept,
    reading,
    request_for,
    scene_name,
)
from benchmarks.shared.report import Report, parse_options
from engines.backend.families.guided import guided_velocity
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec
from engines.metrics.adherence import adherence
from engines.metrics.psnr import latent_psnr
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import make_solver
from engines.text_to_video.request import Solver

NAME = "solvers"
EVALUATIONS, REFERENCE_STEPS = (5, 10, 20, 40), 200
PROMPTS, QUICK_PROMPTS = 24, 1
SOLVERS: tuple[str, ...] = get_args(Solver)


def sampled(spec: SceneSpec, solver: str, steps: int) -> torch.Tensor:
    """Tokens [1, N, C], of as many guided evaluations as `evaluations_of` says."""

    def make() -> npt.NDArray[np.float32]:
        family, request, geometry = bundled(), request_for(spec), geometry_of(spec)
        velocity = guided_velocity(family, geometry, guidance_of(request))
        schedule = uniform(make_schedule("model", steps, geometry.tokens, family.scheduler_config), geometry.tokens)
        noise = gaussian_noise((1, geometry.tokens, family.channels), request.seed)
        tokens = sample(velocity, noise, schedule, make_solver(solver))
        if velocity.evaluations // 2 != evaluations_of(solver, steps):
            raise RuntimeError(f"{solver} made {velocity.evaluations // 2} evaluations in {steps} steps")
        return tokens.float().numpy()

    return torch.from_numpy(kept(f"{solver}, {steps} steps: {scene_name(spec)}", make))


@cache
def reference(spec: SceneSpec) -> torch.Tensor:
    return sampled(spec, "euler", REFERENCE_STEPS)


@cache
def evaluations_of(solver: str, steps: int) -> int:
    """Counted on a velocity that costs nothing."""
    count = [0]

    def still(x: torch.Tensor, sigmas: torch.Tensor, at: Any) -> torch.Tensor:
        count[0] += 1
        return torch.zeros_like(x)

    sample(still, torch.zeros(1, 1, 1), uniform(make_schedule("linear", steps, 1, {}), 1), make_solver(solver))
    return count[0]


def steps_within(solver: str, evaluations: int) -> int:
    """The most steps that a budget allows."""
    return max(steps for steps in range(1, evaluations + 1) if evaluations_of(solver, steps) <= evaluations)


def words_of(spec: SceneSpec, tokens: torch.Tensor) -> dict[str, str]:
    return reading(decoded(bundled().unpack(tokens, geometry_of(spec))))


def measure(spec: SceneSpec, solver: str, evaluations: int) -> dict[str, Any]:
    steps = steps_within(solver, evaluations)
    tokens, used = sampled(spec, solver, steps), evaluations_of(solver, steps)
    return {"psnr": latent_psnr(tokens, reference(spec)), "words": words_of(spec, tokens), "used": used}


def main() -> None:
    options = parse_options(NAME, __doc__)
    report = Report(NAME, options, (*CODE, "benchmarks/solvers.py"), WEIGHTS)
    specs = held_out_scenes("one thing", QUICK_PROMPTS if report.quick else PROMPTS, FIRST_SEED + 3)
    wanted = [scene_words(spec) for spec in specs]
    exact = [
        report.row("reference", scene_name(spec), lambda s=spec: {"words": words_of(s, reference(s))})  # type: ignore[misc]
        for spec in specs
    ]
    report.mean("reference_all_three", adherence([row["words"] for row in exact], wanted)["all_three"].tolist())
    for evaluations in EVALUATIONS:
        for solver in SOLVERS:
            rows = [
                report.row(
                    f"{solver}, {evaluations}", scene_name(spec),
                    lambda s=spec, v=solver, n=evaluations: measure(s, v, n),  # type: ignore[misc]
                )
                for spec in specs
            ]  # fmt: skip
            key = f"{solver}_{evaluations}"
            report.mean(f"{key}_psnr", [row["psnr"] for row in rows])
            report.mean(f"{key}_all_three", adherence([row["words"] for row in rows], wanted)["all_three"].tolist())
            report.number(f"{key}_used", float(np.mean([row["used"] for row in rows])))
        best = max(report.summary[f"{solver}_{evaluations}_psnr"] for solver in SOLVERS)
        report.number(f"best_at_{evaluations}_gain_db", best - report.summary[f"euler_{evaluations}_psnr"])
    report.finish()


if __name__ == "__main__":
    main()
