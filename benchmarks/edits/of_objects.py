"""A thing removed or moved, selected as a person would: by a box around it on the first frame.

Shape legend: clips uint8 [T, H, W, 3]; masks bool [T, H, W].
"""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from benchmarks.completing.objects import empty_scene, object_mask
from benchmarks.held_out.rendering import (
    Frames,
    bundled,
    decoded,
    geometry_of,
    guidance_of,
    reading,
    request_for,
    round_trip,
)
from engines.conditioning.complete import Sampling, complete
from engines.conditioning.condition import condition_on
from engines.conditioning.given import Given
from engines.context import RunContext
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import SceneSpec
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.metrics.psnr import masked_psnr, pixel_psnr
from engines.metrics.regions import dilated
from engines.selection.marks import Mark
from engines.selection.track import MaskTrack, track_marks
from engines.video_editing.finishing import finish_clip, moved_mattes, unseen
from engines.video_editing.objects import Move, Rearranged
from engines.video_editing.regions import made_cells
from engines.video_editing.request import VideoEditingRequest

AROUND = 2  # pixels that a person's box is larger than the thing
MOST_DB = 60.0  # that a clip counts at most
WITHIN_DB = 3.0  # of the tokenizer's round trip
Masks = npt.NDArray[np.bool_]


def boxed(mask: npt.NDArray[np.float32]) -> Mark:
    """The box that a person would draw around a thing, [H, W], on the first frame."""
    rows, columns = np.nonzero(mask > 0.5)
    height, width = mask.shape
    box = (
        max(0, columns.min() - AROUND), max(0, rows.min() - AROUND),
        min(width, columns.max() + 1 + AROUND), min(height, rows.max() + 1 + AROUND),
    )  # fmt: skip
    return Mark(frame=0, kind="box", box=tuple(float(side) for side in box))


def tracked(spec: SceneSpec, folder: Path) -> tuple[ClipFootage, MaskTrack]:
    scene = render_scene(spec)
    source = ClipFootage(Clip(scene.frames, Fraction(spec.fps)))
    return source, track_marks(source, [boxed(scene.coverage[0][0])], folder)


def rearranged(spec: SceneSpec, move: Move | None) -> Frames:
    with tempfile.TemporaryDirectory(prefix="framewright_edits_") as folder:
        source, track = tracked(spec, Path(folder))
        made = Rearranged(source, track, move).frames(range(source.count))
        return np.stack([np.asarray(frame, np.uint8) for frame in made])


def painted_over(spec: SceneSpec) -> Frames:
    """Baseline: every frame for itself (Telea), from the true mask."""
    scene = render_scene(spec)
    made = []
    for frame, mask in zip(scene.frames, scene.coverage[0], strict=True):
        hole = dilated(mask, 4).astype(np.uint8) * 255
        made.append(cv2.inpaint(frame, hole, 3, cv2.INPAINT_TELEA))
    return np.stack(made)


def completed(spec: SceneSpec) -> Frames:
    """Baseline: the region made anew by the model without words, from the true mask."""
    family, geometry, scene = bundled(), geometry_of(spec), render_scene(spec)
    masks = np.stack([dilated(mask, 4) for mask in scene.coverage[0]]).astype(np.float32)
    given = Given(~made_cells(masks, geometry, family.card.facts.temporal_compression))
    request = request_for(spec)
    guidance = guidance_of(request.model_copy(update={"prompt": "an empty scene"}))
    latents = complete(
        family, geometry, guidance, condition_on(family, geometry, scene.frames, given),
        Sampling(steps=request.steps, seed=request.seed),
    )  # fmt: skip
    with torch.inference_mode():
        return decoded(latents)


def finished(spec: SceneSpec, move: Move | None, mixing: bool = True) -> Frames:
    """The rearranged clip finished by the model, as a tick does it; without mixing keys and values are its own."""
    family, scene, geometry = bundled(), render_scene(spec), geometry_of(spec)
    with tempfile.TemporaryDirectory(prefix="framewright_edits_") as folder:
        source, track = tracked(spec, Path(folder))
        whole = range(source.count)
        arranged = np.stack([np.asarray(frame, np.uint8) for frame in Rearranged(source, track, move).frames(whole)])
        holes = np.stack(list(unseen(source, track, whole)))
        now = np.zeros_like(holes) if move is None else np.stack(list(moved_mattes(track, move, whole)))
        said = scene_caption(spec if move is not None else spec.model_copy(update={"actors": ()}))
        request = VideoEditingRequest(
            video=Path("unread"), mode="remove" if move is None else "move", source_prompt=caption(spec).text,
            prompt=said, seed=spec.seed,
        )  # fmt: skip
        return finish_clip(
            family, request, geometry, scene.frames, arranged, holes, now, RunContext(Path(folder)), mixing
        )


def scene_caption(spec: SceneSpec) -> str:
    """Its caption; of one without actors, its place."""
    return caption(spec).text if spec.actors else f"an empty scene, {spec.scene}"


REMOVERS = {
    "ours": lambda spec: rearranged(spec, None), "finished": lambda spec: finished(spec, None),
    "painted_over": painted_over, "completed": completed,
}  # fmt: skip
MOVERS = {
    "ours": rearranged,
    "finished": finished,
    "unmixed": lambda spec, move: finished(spec, move, mixing=False),
    "unmoved": lambda spec, move: render_scene(spec).frames,
}


def measure_removal(spec: SceneSpec, arm: str) -> dict[str, Any]:
    """removed: its noun is not read any more, and where it was the empty scene is, within 3 dB of a round trip.

    Of a smooth wall the tokenizer keeps 54 dB, of a clip with a thing in it 32: what is nearer to the truth than the
    clip itself would be after the tokenizer counts as within. removed_strict knows the empty scene's round trip alone.
    """
    scene, made, empty = render_scene(spec), REMOVERS[arm](spec), empty_scene(spec)
    mask = scene.coverage[0]
    psnr, strict = masked_psnr(made, empty, mask), masked_psnr(round_trip(empty), empty, mask) - WITHIN_DB
    least = min(strict, pixel_psnr(round_trip(scene.frames), scene.frames) - WITHIN_DB)
    gone = reading(made)["noun"] != scene_words(spec)["noun"]
    return {
        "psnr": psnr, "least_psnr": least, "gone": float(gone), "removed": float(gone and psnr >= least),
        "removed_strict": float(gone and psnr >= strict),
    }  # fmt: skip


def move_within(spec: SceneSpec, seed: int) -> Move:
    """To a place, drawn from the seed, where the whole thing stays in the picture."""
    shown = render_scene(spec).coverage[0].max(0) > 0.5
    rows, columns = np.nonzero(shown)
    random = np.random.default_rng([seed, spec.seed])
    rooms = (
        (-int(columns.min()), spec.width - 1 - int(columns.max())),
        (-int(rows.min()), spec.height - 1 - int(rows.max())),
    )
    right, down = (int(random.choice([low, high], p=_shares(low, high))) for low, high in rooms)
    return Move(float(right), float(down))


def _shares(low: int, high: int) -> list[float]:
    """The side with more room is taken more often."""
    total = max(1, high - low)
    return [-low / total, 1 + low / total] if high != low else [1.0, 0.0]


def measure_move(spec: SceneSpec, move: Move, arm: str) -> dict[str, Any]:
    """iou of what is not the empty scene with the true mask at its new place, mean over the frames; left_psnr: how near
    the empty scene is where the thing was and is not any more, its shadow's room included."""
    made = MOVERS[arm](spec, move)
    empty, true = empty_scene(spec), render_scene(spec).coverage[0] > 0.5
    wanted = np.stack([_shifted(mask, int(move.right), int(move.down)) for mask in true])
    found = np.stack([object_mask(frame, behind) for frame, behind in zip(made, empty, strict=True)])
    both, either = (found & wanted).sum((1, 2)), (found | wanted).sum((1, 2))
    left = np.stack([dilated(was, 5) & ~dilated(now, 5) for was, now in zip(true, wanted, strict=True)])
    return {
        "iou": float((both / np.maximum(either, 1)).mean()),
        "left_psnr": min(MOST_DB, pixel_psnr(made, empty, left)) if left.any() else MOST_DB,
    }


def _shifted(mask: npt.NDArray[np.bool_], right: int, down: int) -> npt.NDArray[np.bool_]:
    moved = cv2.warpAffine(
        mask.astype(np.uint8), np.array([[1.0, 0.0, right], [0.0, 1.0, down]]), (mask.shape[1], mask.shape[0])
    )
    return np.asarray(moved > 0)
