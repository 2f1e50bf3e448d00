"""A clip whose thing was moved or taken away, finished by a model: shadows go along, holes get what belongs there.

A hole is what no frame shows of the background behind the thing. What is kept to the pixel: the thing itself, what
other frames showed, and everything else.
Shape legend: T frames, H rows, W columns of the model's clip; masks float32 [T, H, W], 1 the thing.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from engines.backend.attention.feature_store import Spill
from engines.backend.families.base import Family, Frames
from engines.backend.geometry import LatentGeometry
from engines.context import RunContext
from engines.errors import InvalidRequest
from engines.footage.footage import Footage
from engines.selection.background import BackgroundBehind, Mattes
from engines.video_editing.methods.clip_edit import ClipEdit, How, Words
from engines.video_editing.methods.handle_edit import settle
from engines.video_editing.objects import Move, middle_of, moved
from engines.video_editing.progress import reporting
from engines.video_editing.regions import laid_over, made_cells
from engines.video_editing.request import VideoEditingRequest

Floats = npt.NDArray[np.float32]
AROUND = 1 / 20  # of the longer side: as far as shadows and soft borders reach
INSIDE = 1 / 48  # of the longer side: the thing's own border that is made anew with it
DISK_BYTES = 20 * 2**30


def moved_mattes(mattes: Mattes, move: Move, wanted: range) -> Iterator[Floats]:
    """Where the thing is after it was moved; see engines.video_editing.objects."""
    for matte in mattes.mattes(wanted):
        white = np.repeat(matte[..., None], 3, axis=-1)
        there = moved(white, matte, np.zeros_like(white), move)[..., 0] if middle_of(matte) else np.zeros_like(matte)
        yield np.maximum(matte, there) if move.copy else there


def unseen(source: Footage, mattes: Mattes, wanted: range) -> Iterator[Floats]:
    """Where no frame shows the background behind the thing, float32 [H, W] of 0 and 1."""
    return (behind.hole.astype(np.float32) for behind in BackgroundBehind(source, mattes).frames(wanted))


def touched_parts(holes: Floats, now: Floats) -> tuple[Floats, Floats]:
    """What the model may make anew, 0 or 1, and how much of the thing's inside stays as it was laid there, 0 … 1."""
    side = max(holes.shape[1:])
    reach, border = max(1, round(AROUND * side)), max(1, round(INSIDE * side))
    either = (np.maximum(holes, now) > 0.5).astype(np.float32)
    touched = np.stack([cv2.dilate(mask, _brush(reach)) for mask in either])
    cores = [cv2.erode((mask > 0.5).astype(np.float32), _brush(border)) for mask in now]
    inside = np.stack([cv2.GaussianBlur(core, (0, 0), border / 2) * core for core in cores])
    return touched.astype(np.float32), inside.astype(np.float32)


def _brush(radius: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def finish_clip(
    family: Family, request: VideoEditingRequest, geometry: LatentGeometry, source: Frames, arranged: Frames,
    holes: Floats, now: Floats, context: RunContext, mixing: bool = True,
) -> Frames:  # fmt: skip
    """The arranged clip, finished, uint8 [T, H, W, 3]; as it is where there is nothing to do.

    Args:
        source: The clip as it was.
        holes: See unseen.
        now: Where the thing is; nowhere, if it was taken away.
        mixing: See settle.

    Raises: InvalidRequest for a thing that fills the picture; Cancelled; ResourceError.
    """
    touched, inside = touched_parts(holes, now)
    cells = made_cells(touched, geometry, family.card.facts.temporal_compression).flatten()
    if not bool(cells.any()):
        return arranged
    if bool(cells.all()):
        raise InvalidRequest(
            "The thing is, and hides, everything in the picture, so that the model sees nothing to go by.",
            "Move it less far, or take the tick from “finish”.",
            "finish",
        )
    context.step("encoding", 0, 1)
    said = request.source_prompt.strip() or request.prompt
    words = Words(*(family.encode_prompt([text]) for text in (said, request.prompt, "")))
    clean, aim = (family.pack(family.encode(frames), geometry).values for frames in (source, arranged))
    context.step("encoding", 1, 1)
    edit = ClipEdit(
        family, geometry, clean, words,
        How(request.steps, request.change, request.guidance_scale, seed=request.seed),
        going_up=reporting(context, "inverting"), going_down=reporting(context, "denoising"),
    )  # fmt: skip
    made = settle(edit, aim, cells, Spill(context.work_folder / "kept", DISK_BYTES), mixing)
    context.step("decoding", 0, 1)
    frames = np.concatenate(list(family.decode(family.unpack(made.tokens, geometry))))
    context.step("decoding", 1, 1)
    finished, share = laid_over(arranged, frames, touched), inside[..., None]
    return np.rint(share * arranged + (1 - share) * finished).astype(np.uint8)
