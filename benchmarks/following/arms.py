"""Clips sampled beside a control branch, and how well they follow.

Shape legend: clips uint8 [T, H, W, 3]; edges bool [T, H, W].
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any

import numpy as np

from benchmarks.held_out.rendering import BESIDE, WORK, Frames, bundled, decoded, geometry_of, reading, request_for
from engines.conditioning.annotators import canny
from engines.conditioning.control.branch import ControlBranch, controlled, kind_index
from engines.context import RunContext
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import SceneSpec
from engines.metrics.edges import Edges, edge_f1
from engines.text_to_video.render import encode_prompts, sample_take
from engines.training.bundled_model import tokens_of
from engines.training.control import condition_video

BRANCHES = {"light": BESIDE / "control", "full": BESIDE / "control_full"}
ARMS = ("none", *BRANCHES)


@cache
def branch(arm: str) -> ControlBranch:
    made: ControlBranch = ControlBranch.from_pretrained(BRANCHES[arm], use_safetensors=True).float()
    return made.to(bundled().dtype).eval()


def followed(spec: SceneSpec, kind: str, beside: ControlBranch | None, without: Sequence[int] = ()) -> Frames:
    """The scene's caption, sampled with the request's defaults beside a branch that is shown the scene's truth."""
    family, request = bundled(), request_for(spec)
    prompts, context = encode_prompts(family, request), RunContext(work_folder=WORK)
    shown = nullcontext() if beside is None else controlled(
        family.transformer, beside, tokens_of(family, condition_video(render_scene(spec, truth=True), kind)),
        kind_index(kind), without=without,
    )  # fmt: skip
    with shown:
        take = sample_take(family, request, geometry_of(spec), prompts, request.seed, context)
    return decoded(take.latents)


def edges_of(frames: Frames) -> Edges:
    return np.stack([canny(frame)[..., 0] > 0 for frame in frames])


def measure_followed(spec: SceneSpec, kind: str, arm: str) -> dict[str, Any]:
    """edge_f1 of the clip's edges with those of the scene; noun: it still shows what the caption says."""
    made = followed(spec, kind, None if arm == "none" else branch(arm))
    return {
        "edge_f1": edge_f1(edges_of(made), edges_of(render_scene(spec).frames)),
        "noun": float(reading(made)["noun"] == scene_words(spec)["noun"]),
    }
