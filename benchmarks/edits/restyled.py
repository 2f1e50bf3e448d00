"""A clip in another look, frame by frame, with the true motion known.

Shape legend: clips uint8 [T, H, W, 3]; flow float32 [H, W, 2] in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.held_out.rendering import Frames, bundled, reading
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec
from engines.diorama.theatre.truth import SceneTruth
from engines.metrics.psnr import pixel_psnr
from engines.metrics.temporal import warping_error
from engines.video_editing.methods.clip_edit import How, Words
from engines.video_editing.methods.frame_by_frame import Motion, flows_of, restyle
from engines.video_editing.request import Steadiness

HOW = How(steps=12, strength=0.6, guidance_scale=4.0)
# Arm → what is carried from frame to frame, and whether along the rendered motion instead of what flow finds.
ARMS: dict[str, tuple[Steadiness, bool]] = {
    "nothing": ("nothing", False), "keys": ("keys", False), "latents": ("latents", False),
    "queries": ("queries", False), "estimates": ("estimates", False), "estimates_true_motion": ("estimates", True),
}  # fmt: skip


@dataclass(frozen=True)
class Restyling:
    """A plain scene and the same one as a pencil drawing, or, where a wall would lose its colour, of large pixels."""

    source: SceneSpec
    target: SceneSpec


def restylings(count: int, seed: int) -> list[Restyling]:
    made = []
    for spec in held_out_scenes("one thing", count, seed):
        style = "pixel" if spec.scene.endswith("wall") else "pencil"
        made.append(Restyling(spec, spec.model_copy(update={"style": style})))
    return made


def true_motion(scene: RenderedScene) -> Motion:
    """Of a scene that was rendered with its truth."""
    truth = _truth(scene)
    return lambda index: (truth.flow_back[index - 1], truth.flow[index - 1])


def _truth(scene: RenderedScene) -> SceneTruth:
    assert scene.truth is not None
    return scene.truth


def restyled(one: Restyling, arm: str) -> Frames:
    family, scene = bundled(), render_scene(one.source, truth=True)
    steadiness, known = ARMS[arm]
    words = Words(*(family.encode_prompt([text]) for text in ("", caption(one.target).text, "")))
    motion = true_motion(scene) if known else flows_of(scene.frames)
    how = replace(HOW, seed=one.source.seed)
    return np.concatenate(list(restyle(family, scene.frames, words, how, steadiness, motion)))


def measure_restyled(one: Restyling, arm: str) -> dict[str, Any]:
    """truth_psnr: near the scene rendered in that style. warp_error: warping_error along the true motion; noun: it is
    still read."""
    made, truth = restyled(one, arm), _truth(render_scene(one.source, truth=True))
    return {
        "truth_psnr": pixel_psnr(made, render_scene(one.target).frames),
        "warp_error": warping_error(made, flows=list(zip(truth.flow, truth.flow_back, strict=True))),
        "noun": float(reading(made)["noun"] == scene_words(one.source)["noun"]),
    }
