"""A clip longer than the model's window, edited by words in chunks.

Shape legend: clips uint8 [T, H, W, 3].
"""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.edits.by_words import WordEdit
from benchmarks.held_out.rendering import bundled, reading
from engines.context import RunContext
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.metrics.psnr import background_psnr
from engines.video_editing.fitting import fitted, plan_fit
from engines.video_editing.request import VideoEditingRequest
from engines.video_editing.words import edit_by_words

FRAMES = 65


def lengthened(edit: WordEdit) -> WordEdit:
    """The same over 65 frames."""
    longer = (spec.model_copy(update={"frames": FRAMES}) for spec in (edit.source, edit.target))
    return WordEdit(edit.change, *longer)


def measure_long(edit: WordEdit) -> dict[str, Any]:
    """seam_jump (largest change between frames at a chunk's border, in median changes) of the edit and of its source;
    noun: the new one is read; background_psnr against the source, outside of both things."""
    source, target = render_scene(edit.source), render_scene(edit.target)
    footage = ClipFootage(Clip(source.frames, Fraction(edit.source.fps)))
    fit = plan_fit(footage, bundled().card, in_chunks=True)
    said = {"source_prompt": caption(edit.source).text, "prompt": caption(edit.target).text}
    request = VideoEditingRequest(video=Path("film"), seed=edit.source.seed % 2**31, report=False, **said)
    with tempfile.TemporaryDirectory(prefix="framewright_long_") as folder:
        made = edit_by_words(bundled(), request, fit, fitted(footage, fit), RunContext(Path(folder)))
    masks = np.concatenate([source.coverage[0], target.coverage[0]])
    return {
        "seam_jump": made.measurements["seam_jump"],
        "source_seam_jump": made.measurements["source_seam_jump"],
        "noun": float(reading(made.frames[:FRAMES])["noun"] == scene_words(edit.target)["noun"]),
        "background_psnr": background_psnr(made.frames[:FRAMES], source.frames, masks),
    }
