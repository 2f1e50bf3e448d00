"""Selecting a thing by words, and by a box that is followed: masks beside the rendered truth.

Words: a head that reads the bundled model's hidden states (ours), beside the same head, as large and trained as long on
the same scenes, that reads the tokenizer's latents alone. Held-out scenes of one thing, two things and figures; phrases
such as “the fox”. Box: drawn around the thing on the first frame and followed, beside that first mask standing still.

Summary: for each HEAD (model, latents) iou_HEAD, iou_HEAD_KIND, stability_HEAD (IoU of a mask with the one before, over
the same of the truth), told_absent_HEAD (a phrase that means nothing in the clip is refused) and told_present_HEAD;
iou_box, iou_box_standing_still. Bars: mean_iou, gain_vs_vae_head.
A full run also writes assets/screenshots/selection.png: clips chosen by number, what was selected in colour.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.edits.of_objects import boxed
from benchmarks.held_out.rendering import BESIDE, CODE, FIRST_SEED, WEIGHTS, bundled, scene_name
from benchmarks.shared.report import Report, parse_options
from engines.diorama.referring import Referred, absent_phrase, held_out_references
from engines.errors import InvalidRequest
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.metrics.regions import iou
from engines.selection.overlay import overlaid
from engines.selection.track import track_marks
from engines.word_selection.find import find_by_words, load_head
from engines.word_selection.head import WordMaskHead

NAME = "selection"
HEADS = {"model": BESIDE / "word_selection", "latents": BESIDE / "word_selection_from_latents"}
CLIPS = {"one thing": 48, "two things": 48, "figure": 32}
QUICK_CLIPS, SHEET_CLIPS, SEED = 3, 2, FIRST_SEED + 11
Floats = npt.NDArray[np.float32]


@cache
def head(name: str) -> WordMaskHead:
    return load_head(HEADS[name])


def footage(seen: Referred) -> ClipFootage:
    return ClipFootage(Clip(seen.scene.frames, Fraction(24)))


def masks_by_words(seen: Referred, phrase: str, name: str) -> Floats | None:
    """float32 [T, H, W]; None where nothing of the kind is seen."""
    source = footage(seen)
    try:
        found = find_by_words(bundled(), head(name), source, phrase)
    except InvalidRequest:
        return None
    return np.stack(list(found.mattes(range(source.count))))


def measure_words(seen: Referred, name: str) -> dict[str, Any]:
    found = masks_by_words(seen, seen.phrase, name)
    other = masks_by_words(seen, absent_phrase(seen.scene.spec, np.random.default_rng(seen.scene.spec.seed)), name)
    masks = np.zeros_like(seen.mask) if found is None else found
    return {
        "iou": iou(masks, seen.mask),
        "stability": _stability(masks) / max(_stability(seen.mask), 1e-6),
        "told_present": float(found is not None),
        "told_absent": float(other is None),
    }


def _stability(masks: Floats) -> float:
    """Mean IoU of a frame's mask with the one before."""
    return float(np.mean([iou(one[None], other[None]) for one, other in pairwise(masks)]))


def measure_box(seen: Referred) -> dict[str, Any]:
    source = footage(seen)
    with tempfile.TemporaryDirectory() as folder:
        found = np.stack(list(track_marks(source, [boxed(seen.mask[0])], Path(folder)).mattes(range(source.count))))
    still = np.repeat(found[:1], len(found), axis=0)
    return {"iou": iou(found, seen.mask), "standing_still": iou(still, seen.mask)}


def in_first_frame(seen: Referred) -> bool:
    """Whether a box can be drawn around it there."""
    return bool(np.count_nonzero(seen.mask[0] > 0.5) > 40)


def add_words(report: Report, clips: dict[str, list[Referred]]) -> None:
    for name in HEADS:
        every = list[dict[str, Any]]()
        for kind, seen in clips.items():
            rows = [
                report.row(f"words, {name}", f"“{one.phrase}” in {scene_name(one.scene.spec)}",
                           lambda o=one, n=name: measure_words(o, n))  # type: ignore[misc]
                for one in seen
            ]  # fmt: skip
            report.mean(f"iou_{name}_{kind.replace(' ', '_')}", [row["iou"] for row in rows])
            every += rows
        report.mean(f"iou_{name}", [row["iou"] for row in every])
        for key in ("stability", "told_present", "told_absent"):
            report.mean(f"{key}_{name}", [row[key] for row in every])


def add_boxes(report: Report, seen: Sequence[Referred]) -> None:
    rows = [
        report.row("box", scene_name(one.scene.spec), lambda o=one: measure_box(o))  # type: ignore[misc]
        for one in seen
        if in_first_frame(one)
    ]
    report.mean("iou_box", [row["iou"] for row in rows])
    report.mean("iou_box_standing_still", [row["standing_still"] for row in rows])


def write_sheet(clips: dict[str, list[Referred]]) -> None:
    shown, labels = [], []
    for seen in clips.values():
        for index in np.linspace(0, len(seen) - 1, SHEET_CLIPS):
            one = seen[int(index)]
            masks = masks_by_words(one, one.phrase, "model")
            masks = np.zeros_like(one.mask) if masks is None else masks
            shown.append(np.stack([overlaid(f, m) for f, m in zip(one.scene.frames, masks, strict=True)]))
            labels.append(one.phrase)
    save_picture(Path("assets/screenshots/selection.png"), contact_sheet(shown, SHEET_CLIPS, labels, frames_per_clip=4))


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_options(NAME, __doc__, arguments)
    code = [*CODE, "engines/selection", "engines/word_selection", "benchmarks/edits", "benchmarks/selection.py"]
    report = Report(NAME, options, code=code, weights=[*WEIGHTS, *HEADS.values()])
    clips = {
        kind: held_out_references(kind, QUICK_CLIPS if options.quick else count, SEED) for kind, count in CLIPS.items()
    }
    add_words(report, clips)
    add_boxes(report, clips["one thing"])
    report.number("mean_iou", report.summary["iou_model"])
    report.number("gain_vs_vae_head", report.summary["iou_model"] - report.summary["iou_latents"])
    if not options.quick:
        write_sheet(clips)
    report.finish()


if __name__ == "__main__":
    main()
