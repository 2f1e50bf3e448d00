"""Where the object is in a clip that a model made, and whether it is still the same one.

Shape legend: clips uint8 [T, H, W, 3]; E values of an embedding.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.held_out.rendering import Frames, judge_b, round_trip
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.metrics.identity import IdentityScale, identity, identity_scale, mask_crop, picture_embedding

Floats = npt.NDArray[np.float64]
DIFFERS = 45.0  # grey levels from which a pixel is not the empty scene's
SMALLEST = 40  # pixels
STRANGERS = 12  # other things that mean an identity of 0
WITHOUT = -1.0  # identity of a frame that shows no object


def empty_scene(spec: SceneSpec) -> Frames:
    """The same shot without its actors."""
    return render_scene(spec.model_copy(update={"actors": ()})).frames


def object_mask(frame: Frames, empty: Frames) -> npt.NDArray[np.bool_]:
    """The largest part of a picture that is not the empty scene, bool [H, W]; nothing where there is none."""
    blurred = [cv2.GaussianBlur(picture, (0, 0), 1.0).astype(np.float32) for picture in (frame, empty)]
    differs = (np.abs(blurred[0] - blurred[1]).max(-1) > DIFFERS).astype(np.uint8)
    opened = cv2.morphologyEx(differs, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(opened)
    if count < 2 or statistics[1:, cv2.CC_STAT_AREA].max() < SMALLEST:
        return np.zeros(frame.shape[:2], bool)
    return np.asarray(labels == 1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax()))


def embeddings(frames: Frames, empty: Frames) -> Floats:
    """Of the object in every frame that shows one, [≤ T, E]."""
    crops = [
        mask_crop(frame, mask)
        for frame, behind in zip(frames, empty, strict=True)
        if (mask := object_mask(frame, behind)).any()
    ]
    return picture_embedding(judge_b(), np.stack(crops)) if crops else np.zeros((0, judge_b().config.identity_width))


def identity_of(spec: SceneSpec, frames: Frames, reference_frame: int) -> float | None:
    """Is the object of the later frames that of the given frame? 0 a stranger, 1 itself (engines.metrics.identity).

    None where the true object cannot be told from its scene, such as a snowman in the snow.

    c₀ from other things' renders, c₁ from this clip's true frames after the tokenizer.
    """
    truth, empty = render_scene(spec).frames, empty_scene(spec)
    reference = embeddings(truth[reference_frame : reference_frame + 1], empty[reference_frame : reference_frame + 1])
    itself = embeddings(round_trip(truth), empty)
    if not len(reference) or not len(itself):
        return None
    scale = identity_scale(reference[0], _strangers(spec), itself)
    return _mean_identity(frames, empty, reference[0], scale)


def identity_under_mask(spec: SceneSpec, frames: Frames) -> float:
    """The same where a clip's place is the model's own, so that nothing tells the object from it: under the true masks.

    Of the first actor, on frames that show at least SMALLEST pixels of it; what is somewhere else counts as a stranger.
    """
    scene = render_scene(spec)
    shown = [row for row, mask in enumerate(scene.coverage[0]) if (mask > 0.5).sum() >= SMALLEST]

    def cropped(clip: Frames) -> Floats:
        return picture_embedding(judge_b(), np.stack([mask_crop(clip[row], scene.coverage[0][row]) for row in shown]))

    reference = cropped(scene.frames)[0]
    scale = identity_scale(reference, _strangers(spec), cropped(round_trip(scene.frames)))
    return identity(cropped(frames), reference, scale)


def _mean_identity(frames: Frames, empty: Frames, reference: Floats, scale: IdentityScale) -> float:
    found = embeddings(frames, empty)
    shown = identity(found, reference, scale) if len(found) else WITHOUT
    return (shown * len(found) + WITHOUT * (len(frames) - len(found))) / len(frames)


def _strangers(spec: SceneSpec) -> Floats:
    nouns = {actor.noun for actor in spec.actors if isinstance(actor, Thing)}
    return np.concatenate([found for noun, found in _other_things() if noun not in nouns][:STRANGERS])


@cache
def _other_things() -> list[tuple[str, Floats]]:
    """Nouns and embeddings of renders, the same for every clip."""
    scenes = held_out_scenes("one thing", 3 * STRANGERS, 77, frames=1)
    return [
        (actor.noun, embeddings(render_scene(scene).frames, empty_scene(scene)))
        for scene in scenes
        for actor in scene.actors
        if isinstance(actor, Thing)
    ]
