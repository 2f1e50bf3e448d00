"""What upscaling with the request's defaults gains and costs, against what a person has without a network.

(a) truth rendered by the Diorama at 4 times its size, degraded by blur, noise and low-bitrate H.264; (b) clean real
clips shrunk 2 and 4 times. Baselines: bicubic, Lanczos, Lanczos with unsharp masking; for speed ncnn with the same
weights. One setting throughout: the request's defaults.

Summary, means over clips: psnr_gap_vs_bicubic_db and sharpness_error_ratio_vs_bicubic on (b),
psnr_gain_vs_bicubic_db_degraded on (a), warping_error_ratio_temporal with sharpness_ratio_temporal (temporal blending
on / off, all clips; _clean and _degraded apart), bf16_psnr_db (the network's output in bfloat16 against float32).
Single numbers: memory_growth (the larger of memory_growth_network and memory_growth_media), seam_max,
speed_ratio_vs_ncnn (ncnn's time / ours, in the number format that the studio picks here: speed_in_bf16 says which).
A full run also writes assets/screenshots/super_resolution.png: truth, bicubic, ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.shared.report import Report, parse_options
from benchmarks.shared.versions import PROJECT_ROOT
from benchmarks.upscaling.baselines import BASELINES, bicubic
from benchmarks.upscaling.clips import DioramaClip, Pair, RealClip, diorama_clips, real_clips
from benchmarks.upscaling.memory import network_peak, reader_and_writer_peak
from benchmarks.upscaling.network import bf16_psnr, seam, speed
from benchmarks.upscaling.ours import upscale
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.metrics.psnr import pixel_psnr
from engines.metrics.sharpness import gradient_energy
from engines.metrics.temporal import warping_error

Frames = npt.NDArray[np.uint8]
NAME = "super_resolution"
WEIGHTS = ("assets/models/realesrgan/animevideov3.safetensors",)
CODE = (
    "engines/super_resolution",
    "engines/media",
    "engines/metrics",
    "engines/diorama",
    "benchmarks/upscaling",
    "benchmarks/super_resolution.py",
)
WORK = PROJECT_ROOT / "benchmarks" / "work" / NAME
SHEET = (RealClip("bigbuckbunny", 40, 2), RealClip("bikes", 100, 4), RealClip("carphone", 0, 2), DioramaClip(0, 24))
SHEET_CROP = 128


def measure(frames: Frames, pair: Pair) -> dict[str, Any]:
    """One result beside its truth; flow is the truth's, so that no arm is excused by its own blur."""
    return {
        "psnr": pixel_psnr(frames, pair.truth),
        "gradient_energy": gradient_energy(frames),
        "warping_error": warping_error(frames, pair.truth),
    }


def measure_clip(report: Report, clip: RealClip | DioramaClip) -> dict[str, dict[str, Any]]:
    """Rows of all arms on one clip, by arm."""
    loaded: list[Pair] = []

    def pair() -> Pair:
        if not loaded:  # a row that is remembered needs no clip
            loaded.append(clip.load())
        return loaded[0]

    arms: dict[str, Callable[[Pair], Frames]] = {
        "truth": lambda given: given.truth,
        **{name: partial(_enlarged, baseline) for name, baseline in BASELINES.items()},
        "ours": upscale,
        "ours, temporal off": partial(upscale, temporal=False),
    }
    return {arm: report.row(arm, clip.name, partial(_measured, arm, make, pair)) for arm, make in arms.items()}


def _enlarged(baseline: Callable[[Frames, int], Frames], pair: Pair) -> Frames:
    return baseline(pair.small, pair.scale)


def _measured(arm: str, make: Callable[[Pair], Frames], pair: Callable[[], Pair]) -> dict[str, Any]:
    frames = make(pair())
    if arm == "truth":
        return {"gradient_energy": gradient_energy(frames), "warping_error": warping_error(frames)}
    return measure(frames, pair())


def sharpness_error(rows: dict[str, dict[str, Any]], arm: str) -> float:
    """|gradient energy − the truth's|, relative to bicubic's."""
    truth = rows["truth"]["gradient_energy"]
    return float(abs(rows[arm]["gradient_energy"] - truth) / abs(rows["bicubic"]["gradient_energy"] - truth))


def gain(rows: dict[str, dict[str, Any]], arm: str) -> float:
    """dB of PSNR above bicubic."""
    return float(rows[arm]["psnr"] - rows["bicubic"]["psnr"])


def on_off(rows: dict[str, dict[str, Any]], measured: str) -> float:
    return float(rows["ours"][measured] / rows["ours, temporal off"][measured])


def add_quality(report: Report, clean: Sequence[dict[str, Any]], degraded: Sequence[dict[str, Any]]) -> None:
    report.mean("psnr_gap_vs_bicubic_db", [-gain(rows, "ours") for rows in clean])
    report.mean("sharpness_error_ratio_vs_bicubic", [sharpness_error(rows, "ours") for rows in clean])
    report.mean("psnr_gain_vs_bicubic_db_degraded", [gain(rows, "ours") for rows in degraded])
    for arm in ("lanczos", "lanczos_unsharp"):
        report.mean(f"psnr_gap_vs_bicubic_db_{arm}", [-gain(rows, arm) for rows in clean])
        report.mean(f"sharpness_error_ratio_vs_bicubic_{arm}", [sharpness_error(rows, arm) for rows in clean])
        report.mean(f"psnr_gain_vs_bicubic_db_degraded_{arm}", [gain(rows, arm) for rows in degraded])


def add_steadiness(report: Report, clean: Sequence[dict[str, Any]], degraded: Sequence[dict[str, Any]]) -> None:
    for suffix, clips in (("", [*clean, *degraded]), ("_clean", clean), ("_degraded", degraded)):
        report.mean(f"warping_error_ratio_temporal{suffix}", [on_off(rows, "warping_error") for rows in clips])
        report.mean(f"sharpness_ratio_temporal{suffix}", [on_off(rows, "gradient_energy") for rows in clips])


def add_memory(report: Report) -> None:
    """A long clip's peak against a short one's: through the network, and through reader and writer."""
    frames, size = ((20, 120), (90, 160)) if report.quick else ((100, 600), (180, 320))
    seconds = (2, 8) if report.quick else (10, 60)
    network = [
        report.row("memory, network", f"{count} frames of {size[1]} × {size[0]}", partial(network_peak, count, *size))
        for count in frames
    ]
    media = [
        report.row("memory, reader and writer", f"{length} s", partial(reader_and_writer_peak, length, WORK))
        for length in seconds
    ]
    growth = {
        name: rows[1]["peak_bytes"] / rows[0]["peak_bytes"] for name, rows in (("network", network), ("media", media))
    }
    for name, value in growth.items():
        report.number(f"memory_growth_{name}", value)
    report.number("memory_growth", max(growth.values()))


def add_network(report: Report, clips: Sequence[RealClip]) -> None:
    """What tiles, number format and our code cost, on the compact network alone."""
    tiled = [report.row("seam", clip.name, partial(_of_clip, seam, clip)) for clip in clips]
    report.number("seam_max", max(row["seam_max"] for row in tiled))
    rounded = [report.row("bf16", clip.name, partial(_of_clip, bf16_psnr, clip)) for clip in clips]
    report.mean("bf16_psnr_db", [row["bf16_psnr_db"] for row in rounded])
    times = report.row("speed", "320 × 180", lambda: speed(WORK))
    for key in (
        "speed_ratio_vs_ncnn",
        "speed_in_bf16",
        "speed_ratio_vs_ncnn_float32",
        "network_seconds",
        "ncnn_seconds",
    ):
        report.number(key, times[key])


def _of_clip(measured: Callable[[Pair], dict[str, Any]], clip: RealClip) -> dict[str, Any]:
    return measured(clip.load())


def write_sheet(path: Path) -> None:
    """Crops of the middle, twice as large: truth, bicubic, ours; one clip per row."""
    cells, labels = [], []
    for clip in SHEET:
        pair = clip.load()
        arms = {"truth": pair.truth, "bicubic": bicubic(pair.small, pair.scale), "ours": upscale(pair)}
        for arm, frames in arms.items():
            top, left = ((side - SHEET_CROP) // 2 for side in frames.shape[1:3])
            crop = frames[len(frames) // 2 :][:1, top : top + SHEET_CROP, left : left + SHEET_CROP]
            cells.append(crop.repeat(2, axis=1).repeat(2, axis=2))
            labels.append(f"{arm}: {clip.name}".replace("×", "x"))  # the font of the sheet has no ×
    save_picture(path, contact_sheet(cells, len(arms), labels))


def main() -> None:
    options = parse_options(NAME, __doc__)
    report = Report(NAME, options, CODE, WEIGHTS)
    real = real_clips(report.quick)
    clean = [measure_clip(report, clip) for clip in real]
    degraded = [measure_clip(report, clip) for clip in diorama_clips(report.quick)]
    add_quality(report, clean, degraded)
    add_steadiness(report, clean, degraded)
    add_network(report, real)
    add_memory(report)
    if not report.quick:
        write_sheet(PROJECT_ROOT / "assets" / "screenshots" / "super_resolution.png")
    report.finish()


if __name__ == "__main__":
    main()
