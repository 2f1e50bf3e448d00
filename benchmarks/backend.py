"""What the backend needs to carry a model, what its switches cost, and that it computes what diffusers computes.

A random LTX of about 0.3 billion parameters (what memory is needed does not depend on what weights say): diffusers'
pipeline resident in float32 against each of our plans, every arm in a process of its own; the bundled autoencoder at
512 × 512, four times the area of 256 × 256. Step caches on the bundled model at 30 steps, and weights in fewer bits,
against the same run without. Every family's pipeline against our loop on tiny random checkpoints.

Summary: naive_peak_bytes; peak_ratio_PLAN (storages that live, over naive's), rss_ratio_PLAN (the same by the resident
set), counts_agree (largest relative difference between both, over all arms); plan_error (largest relative error of what
a plan says it needs, weights included); load_seconds_naive and load_seconds_ours; vae_tiled_peak_ratio,
vae_tiled_psnr_db; parity_max_error; oom_recovered; of each step cache speedup_X, psnr_db_X, latent_psnr_db_X and
kept_bytes_X, and of the fastest good one cache_speedup and cache_psnr_db; weights_psnr_db_FORMAT; compile_speedup,
compile_psnr_db and compile_first_seconds (needs a C++ compiler); ratio_vs_diffusers.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks.held_out.against_diffusers import add_time
from benchmarks.memory_plans.arms import NAIVE, PLANS
from benchmarks.memory_plans.model import random_ltx
from benchmarks.parity import image_to_video, text_to_video
from benchmarks.shared.report import Report, parse_options
from benchmarks.shared.timing import LEAST_PAIRS
from benchmarks.switches.compiling import add_compiled
from benchmarks.switches.recovery import add_recovery
from benchmarks.switches.step_caches import add_step_caches
from benchmarks.switches.weight_formats import add_weight_formats
from engines.backend.autoencoders.patch_video import SPACE, PatchVideoAutoencoder
from engines.backend.catalogue import PROJECT_ROOT, load_catalogue
from engines.backend.families.latent_codec import decoded_bytes
from engines.backend.memory.meter import StorageMeter
from engines.backend.model_files import locate
from engines.metrics.psnr import pixel_psnr

NAME = "backend"
CODE = (
    "benchmarks/backend.py", "benchmarks/memory_plans", "benchmarks/parity", "benchmarks/switches", "engines/backend",
    "engines/sampling", "engines/conditioning", "presets/step_caches.yaml",
)  # fmt: skip
WORK = PROJECT_ROOT / "benchmarks" / "work"
LARGE_CELLS, FRAMES = 32, 17


def arm(folder: Path, name: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.memory_plans.arms", str(folder), name]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def memory_of_plans(report: Report) -> None:
    folder = random_ltx(WORK / "random_ltx")
    rows = {name: report.row(name, "two steps", lambda n=name: arm(folder, n)) for name in (NAIVE, *PLANS)}  # type: ignore[misc]
    naive = rows[NAIVE]
    report.number("naive_peak_bytes", naive["storage_peak"])
    report.number("load_seconds_naive", naive["load_seconds"])
    report.number("load_seconds_ours", rows["resident"]["load_seconds"])
    errors = []
    for name in PLANS:
        key, row = name.replace(" ", "_"), rows[name]
        report.number(f"peak_ratio_{key}", row["storage_peak"] / naive["storage_peak"])
        report.number(f"rss_ratio_{key}", row["resident_peak"] / naive["resident_peak"])
        errors.append(abs(row["planned"] / row["storage_peak"] - 1))
    report.number("plan_error", max(errors))
    report.number("counts_agree", max(abs(row["resident_peak"] / row["storage_peak"] - 1) for row in rows.values()))


@torch.inference_mode()
def tiles(report: Report) -> None:
    autoencoder = PatchVideoAutoencoder.from_pretrained(locate(load_catalogue()["diorama"]) / "vae").float().eval()
    generator = torch.Generator().manual_seed(5)
    shape = (1, autoencoder.config["latent_channels"], (FRAMES - 1) // 4 + 1, LARGE_CELLS, LARGE_CELLS)
    latents = torch.randn(shape, generator=generator)
    latents = latents * autoencoder.latents_std.view(1, -1, 1, 1, 1) + autoencoder.latents_mean.view(1, -1, 1, 1, 1)
    peaks, frames = [], []
    for tiled in (False, True):
        autoencoder.use_tiling = tiled
        with StorageMeter() as meter:
            frames.append(decoded_bytes(autoencoder, latents).numpy())
        peaks.append(meter.peak)
    report.number("vae_tiled_peak_ratio", peaks[1] / peaks[0])
    report.number("vae_tiled_psnr_db", min(99.0, pixel_psnr(frames[1], frames[0])))
    report.number("vae_tiled_side", float(LARGE_CELLS * SPACE))
    assert np.shape(frames[0]) == np.shape(frames[1])


def parity(report: Report) -> None:
    cases = {name: partial(text_to_video.compare, case) for name, case in text_to_video.CASES.items()}
    errors = [
        report.row(f"parity {name}", f"guidance {scale:g}", partial(_compared, case, scale))["error"]
        for scale in ((1.0,) if report.quick else (1.0, 3.0))
        for name, case in (cases | image_to_video.CASES).items()
    ]
    report.number("parity_max_error", max(errors))


def _compared(case: Callable[[Path, float], text_to_video.Compared], scale: float) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        made = case(Path(folder), scale)
        return {"error": made.error, "moved": made.moved}


def main() -> None:
    options = parse_options(NAME, __doc__)
    report = Report(NAME, options, CODE, ["assets/models/diorama"])
    memory_of_plans(report)
    tiles(report)
    parity(report)
    add_recovery(report)
    add_weight_formats(report, clips=2 if report.quick else 12)
    add_step_caches(report, clips=2 if report.quick else 12)
    add_compiled(report)
    add_time(report, steps=4 if report.quick else 20, pairs=LEAST_PAIRS)
    report.finish()


if __name__ == "__main__":
    main()
