"""Blocks compiled by inductor beside blocks as they are written, on the bundled model."""

from __future__ import annotations

import time
from functools import partial

from torch import Tensor

from benchmarks.held_out.rendering import FIRST_SEED, bundled, scene_name
from benchmarks.shared.report import Report
from benchmarks.shared.timing import LEAST_PAIRS, interleaved
from benchmarks.switches.sampling import sampled_tokens
from engines.backend.compiled_blocks import compiled
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec
from engines.metrics.psnr import latent_psnr

STEPS = 10


def add_compiled(report: Report) -> None:
    """compile_speedup, compile_psnr_db (latents against those without), compile_first_seconds (of one step)."""
    (spec,) = held_out_scenes("one thing", 1, FIRST_SEED)
    row = report.row("compiled", scene_name(spec), partial(_compared, spec))
    report.number("compile_speedup", row["speedup"])
    report.number("compile_psnr_db", row["psnr"])
    report.number("compile_first_seconds", row["first_seconds"])


def _compared(spec: SceneSpec) -> dict[str, float]:
    began = time.perf_counter()
    _made("inductor", spec, 1)
    first = time.perf_counter() - began
    nearness = min(99.0, latent_psnr(_made("inductor", spec, STEPS), _made(None, spec, STEPS)))
    times = interleaved(lambda: _made("inductor", spec, STEPS), lambda: _made(None, spec, STEPS), LEAST_PAIRS)
    return {"speedup": 1 / times.ratio, "psnr": nearness, "first_seconds": first}


def _made(compiler: str | None, spec: SceneSpec, steps: int) -> Tensor:
    with compiled(bundled().speakers, compiler):
        return sampled_tokens(spec, steps)
