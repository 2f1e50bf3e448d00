"""What is measured on a film: what a judge reads slice by slice, identity at the end, seams, drift, liveliness."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.completing.objects import empty_scene, identity_of
from benchmarks.held_out.rendering import Frames, reading
from benchmarks.long_films.making import borders_of
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import SceneSpec
from engines.metrics.continuity import drift, seam_jump
from engines.metrics.motion import flow_ratio

SLICE = 17
READ = ("noun", "motion", "scene")


def measure(spec: SceneSpec, made: Frames, arm: str) -> dict[str, Any]:
    """See benchmarks.long_video."""
    wanted, truth = scene_words(spec), render_scene(spec)
    seen = [reading(made[first : first + SLICE]) for first in range(0, len(made) - SLICE + 1, SLICE)]
    right = {name: float(np.mean([said[name] == wanted[name] for said in seen])) for name in READ}
    borders = borders_of(len(made), arm)
    drifted = drift(made, borders)
    end = slice(len(made) - SLICE, len(made))
    return {
        **right,
        "all_three": float(np.mean([all(said[name] == wanted[name] for name in READ) for said in seen])),
        "identity_end": identity_at_end(spec, made),
        "seam_jump": seam_jump(made, borders),
        "channel_drift": float(np.abs(drifted.channel_mean).max()),
        "flow_ratio": flow_ratio(made[end], truth.frames[end], truth.coverage[0][end] > 0.5),
    }


def identity_at_end(spec: SceneSpec, made: Frames) -> float | None:
    """Whether the last frames still show the thing of the first one; None where it cannot be told from its scene."""
    still = spec.model_copy(update={"frames": SLICE})
    assert np.array_equal(empty_scene(still)[0], empty_scene(spec)[-1]), "the camera rests"
    return identity_of(still, made[-SLICE:], 0)
