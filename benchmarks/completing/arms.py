"""Who completes a clip: our token conditioning and the baselines, all from the same frames, caption, seed and steps.

Shape legend: clips uint8 [T, H, W, 3]; N tokens of the grid, P of a picture, D channels of a token.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch

from benchmarks.held_out.rendering import (
    Frames,
    bundled,
    decoded,
    geometry_of,
    guidance_of,
    kept,
    request_for,
    scene_name,
)
from engines.conditioning.complete import Sampling, complete
from engines.conditioning.condition import Condition, condition_on
from engines.conditioning.given import TIME, Given, Mode
from engines.diorama.theatre.spec import SceneSpec

HOLE = 3  # cells of the side of the box that is to be filled in
BEGINNING = 2  # slots that are given of a clip to go on from: 5 frames


@dataclass(frozen=True)
class Case:
    """A true clip and what is given of it.

    Attributes:
        known: Numbers of the frames that are given whole.
        hole: bool [H, W], the pixels that are to be filled in; None where whole frames are given.
    """

    spec: SceneSpec
    truth: Frames
    mode: Mode
    given: Given
    known: tuple[int, ...]
    hole: npt.NDArray[np.bool_] | None = None


def case_of(spec: SceneSpec, truth: Frames, mode: Mode, seed: int) -> Case:
    """What the benchmark gives in this mode; the hole's place is drawn from the seed."""
    geometry, last = geometry_of(spec), spec.frames - 1
    tokens = torch.zeros(geometry.latent_frames, geometry.latent_height, geometry.latent_width, dtype=torch.bool)
    if mode == "region":
        random = np.random.default_rng([seed, spec.seed])
        top, left = (int(random.integers(0, side - HOLE + 1)) for side in tokens.shape[1:])
        tokens[:] = True
        tokens[:, top : top + HOLE, left : left + HOLE] = False
        hole = np.kron(~tokens[0].numpy(), np.ones((16, 16), bool))
        return Case(spec, truth, mode, Given(tokens), (), hole)
    if mode == "beginning":
        tokens[:BEGINNING] = True
        return Case(spec, truth, mode, Given(tokens), tuple(range(TIME * (BEGINNING - 1) + 1)))
    keys = {"last frame": (last,), "first and last frame": (last,), "keyframes": (TIME * ((last // 2) // TIME), last)}
    tokens[0] = mode in ("first frame", "first and last frame", "keyframes")
    given = Given(tokens, keys.get(mode, ()))
    return Case(spec, truth, mode, given, (*((0,) if tokens[0].any() else ()), *given.keyframes))


def ours(case: Case) -> Frames:
    """Given tokens at σ = 0 beside the noisy ones; keyframes as tokens of their own."""
    condition = condition_on(bundled(), geometry_of(case.spec), case.truth, case.given)
    return _completed("ours", case, condition)


def replacement(case: Case) -> Frames:
    """The same weights without token conditioning: one level for all, what is given put in its place at every step.

    A keyframe stands in its slot as a still of four frames, which is what replacement can do with a single frame.
    """
    geometry = geometry_of(case.spec)
    condition = _in_place(condition_on(bundled(), geometry, case.truth, case.given), geometry.tokens)
    return _completed("replacement", case, condition)


def _completed(arm: str, case: Case, condition: Condition) -> Frames:
    geometry, request = geometry_of(case.spec), request_for(case.spec)
    how = Sampling(steps=request.steps, seed=request.seed, replacement=arm == "replacement")

    def make() -> Frames:
        return decoded(complete(bundled(), geometry, guidance_of(request), condition, how))

    hole = "" if case.hole is None else f" from {np.argwhere(case.hole)[0].tolist()}"
    return kept(f"{arm}: {case.mode}{hole}: {scene_name(case.spec)}", make, ("benchmarks/completing",))


def _in_place(condition: Condition, tokens: int) -> Condition:
    """The same with every keyframe in its slot of the grid, none beside it."""
    values, known = condition.values[:, :tokens].clone(), condition.given.tokens.clone()
    cells = known[0].numel()
    for index, frame in enumerate(condition.given.keyframes):
        slot = -(-frame // TIME)
        begin = tokens + index * cells
        values[:, slot * cells : (slot + 1) * cells] = condition.values[:, begin : begin + cells]
        known[slot] = True
    return Condition(Given(known), values)


def copy_nearest(case: Case) -> Frames:
    """Every frame is the given one that is nearest in time; every pixel of a hole the given one nearest in space."""
    if case.hole is None:
        frames = [min(case.known, key=lambda known, t=t: (abs(known - t), known)) for t in range(len(case.truth))]  # type: ignore[misc]
        return case.truth[frames]
    labels = cv2.distanceTransformWithLabels(
        case.hole.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    outside = ~case.hole
    nearest = np.zeros(int(labels.max()) + 1, np.int64)
    nearest[labels[outside]] = np.flatnonzero(outside)
    flat = case.truth.reshape(len(case.truth), -1, 3)
    return flat[:, nearest[labels].ravel()].reshape(case.truth.shape)


def linear_blend(case: Case) -> Frames:
    """Between two given frames a fade, beyond them the nearest; a hole is inpainted frame by frame (Telea 2004)."""
    if case.hole is not None:
        mask = case.hole.astype(np.uint8) * 255
        return np.stack([cv2.inpaint(frame, mask, 5, cv2.INPAINT_TELEA) for frame in case.truth])
    made = []
    for t in range(len(case.truth)):
        before = max((known for known in case.known if known <= t), default=min(case.known))
        after = min((known for known in case.known if known >= t), default=max(case.known))
        share = (t - before) / (after - before) if after > before else 0.0
        made.append((1 - share) * case.truth[before].astype(np.float32) + share * case.truth[after])
    return np.stack(made).round().astype(np.uint8)


ARMS = {"ours": ours, "replacement": replacement, "copy_nearest": copy_nearest, "linear_blend": linear_blend}
