"""What interpolation with the request's defaults gains, against what a person has without a network.

Rendered truth at 4 times the rate, three of four frames held back; real clips with every second frame held back.
Baselines: frame repeat, linear blend, warping along DIS flow. PSNR over the held-back frames of a clip, capped at
60 dB (a still clip has no error to speak of).

Summary: psnr_gain_vs_linear_db, psnr_gain_vs_flow_db, psnr_gain_vs_repeat_db (means over all clips, also _real and
_rendered), worst_clip_gain_vs_linear_db; cut_blends over known_cuts, false_cuts on clips with flashes and fast motion;
frames_per_second of 640 × 360 on this machine.
A full run also writes assets/screenshots/interpolation.png: truth, linear blend, ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.shared.report import Report, parse_options
from benchmarks.shared.versions import PROJECT_ROOT
from benchmarks.smoothing.baselines import BASELINES, Between, linear
from benchmarks.smoothing.clips import HeldBack, diorama_specs, load_diorama, load_real, real_clips
from benchmarks.smoothing.cuts import blends_at_cuts, clips_without_cuts, cuts_found
from engines.footage.footage import ClipFootage
from engines.interpolation.engine import WEIGHTS as WEIGHTS_PATH
from engines.interpolation.interpolated import Interpolated, Rate
from engines.interpolation.network import FlowNetwork
from engines.interpolation.weights import load_flow_network
from engines.media.clip import Clip
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.metrics.psnr import pixel_psnr

Frames = npt.NDArray[np.uint8]
NAME = "interpolation"
WEIGHTS = ("assets/models/rife",)
CODE = (
    "engines/interpolation",
    "engines/footage",
    "engines/media",
    "engines/diorama",
    "benchmarks/smoothing",
    "benchmarks/upscaling/clips.py",
    "benchmarks/interpolation.py",
)
MOST_PSNR = 60.0
SHEET = (("bikes", 5), ("bikes", 45), ("bigbuckbunny", 40), ("carphone", 0))
SHEET_SIDE = 144


@cache
def network() -> FlowNetwork:
    return load_flow_network(WEIGHTS_PATH)


def ours(clip: HeldBack) -> Frames:
    """The held-back frames as the engine makes them by default."""
    fps = Fraction(24)
    stage = Interpolated(ClipFootage(Clip(clip.given, fps)), network(), Rate(fps * clip.step))
    made = list(stage.frames(range(len(clip.truth))))
    return np.stack([made[index] for index in clip.hidden]).astype(np.uint8)


def baseline(between: Between, clip: HeldBack) -> Frames:
    """The held-back frames, each between its two given neighbours."""
    given, step = clip.given, clip.step
    return np.stack(
        [between(given[index // step], given[index // step + 1], index % step / step) for index in clip.hidden]
    )


def measured(make: Callable[[HeldBack], Frames], load: Callable[[], HeldBack]) -> dict[str, Any]:
    clip = load()
    return {"psnr": min(MOST_PSNR, pixel_psnr(make(clip), clip.truth[clip.hidden]))}


def measure_clip(report: Report, name: str, load: Callable[[], HeldBack]) -> dict[str, float]:
    """PSNR by arm."""
    kept = cache(load)
    arms: dict[str, Callable[[HeldBack], Frames]] = {
        "ours": ours,
        **{arm: partial(baseline, between) for arm, between in BASELINES.items()},
    }
    return {arm: float(report.row(arm, name, partial(measured, make, kept))["psnr"]) for arm, make in arms.items()}


def add_gains(report: Report, real: Sequence[dict[str, float]], rendered: Sequence[dict[str, float]]) -> None:
    keys = {"linear": "linear", "flow_warp": "flow", "repeat": "repeat"}
    for suffix, clips in (("", [*real, *rendered]), ("_real", real), ("_rendered", rendered)):
        for arm, word in keys.items():
            report.mean(f"psnr_gain_vs_{word}_db{suffix}", [one["ours"] - one[arm] for one in clips])
    report.number("worst_clip_gain_vs_linear_db", min(one["ours"] - one["linear"] for one in [*real, *rendered]))


def add_cuts(report: Report) -> None:
    seen = report.row("cuts", "bikes, 5 known cuts", lambda: blends_at_cuts(network()))
    report.number("cut_blends", seen["cut_blends"])
    report.number("known_cuts", seen["known_cuts"])
    rows = [report.row("no cuts", name, partial(cuts_found, frames)) for name, frames in clips_without_cuts()]
    report.number("false_cuts", sum(row["cuts"] for row in rows))


def speed() -> dict[str, float]:
    """Frames made per second, the median of three clips of 8 pairs."""
    clip = load_real("bigbuckbunny", 40)
    rates = []
    for _ in range(3):
        began = time.perf_counter()
        made = ours(clip)
        rates.append(len(made) / (time.perf_counter() - began))
    return {"frames_per_second": sorted(rates)[1]}


def write_sheet(path: Path) -> None:
    """Crops of the middle of one held-back frame, twice as large: truth, linear blend, ours; one clip per row."""
    cells, labels = [], []
    for source, first in SHEET:
        clip = load_real(source, first)
        middle = len(clip.hidden) // 2
        arms = {
            "truth": clip.truth[clip.hidden],
            "linear blend": baseline(linear, clip),
            "ours": ours(clip),
        }
        for arm, frames in arms.items():
            top, left = (max(0, (side - SHEET_SIDE) // 2) for side in frames.shape[1:3])
            crop = frames[middle : middle + 1, top : top + SHEET_SIDE, left : left + SHEET_SIDE]
            cells.append(crop.repeat(2, axis=1).repeat(2, axis=2))
            labels.append(f"{arm}: {clip.name}")
    save_picture(path, contact_sheet(cells, 3, labels))


def main() -> None:
    options = parse_options(NAME, __doc__)
    report = Report(NAME, options, CODE, WEIGHTS)
    real = [
        measure_clip(report, f"{source} from {first}", partial(load_real, source, first))
        for source, first in real_clips(report.quick)
    ]
    rendered = [
        measure_clip(report, f"diorama {spec.seed}", partial(load_diorama, spec))
        for spec in diorama_specs(report.quick)
    ]
    add_gains(report, real, rendered)
    add_cuts(report)
    report.number("frames_per_second", report.row("speed", "640 × 360", speed)["frames_per_second"])
    if not report.quick:
        write_sheet(PROJECT_ROOT / "assets" / "screenshots" / "interpolation.png")
    report.finish()


if __name__ == "__main__":
    main()
