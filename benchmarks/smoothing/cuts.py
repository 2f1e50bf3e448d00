"""Cuts that are known, and clips without any that look as if they had some."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from benchmarks.smoothing.clips import load_diorama, with_flash
from benchmarks.upscaling.clips import truth_of
from engines.diorama.clip_spec import held_out_specs
from engines.footage.footage import ClipFootage
from engines.interpolation.interpolated import Interpolated, Rate
from engines.interpolation.network import FlowNetwork
from engines.interpolation.timeline import Timeline
from engines.media.clip import Clip

Frames = npt.NDArray[np.uint8]
# First frames of the shots of bikes.mp4, looked at one by one.
SHOTS = (30, 76, 137, 187, 242)
AROUND = 6
FLASHES = ((5, 1), (5, 2), (5, 3))


def blends_at_cuts(network: FlowNetwork) -> dict[str, float]:
    """How many of the frames made between two shots are neither the one nor the other."""
    blends = 0
    for shot in SHOTS:
        frames = _frames("bikes", shot - AROUND, 2 * AROUND)
        stage = Interpolated(ClipFootage(Clip(frames, Fraction(25))), network, Rate(Fraction(50)))
        (between,) = stage.frames(range(2 * AROUND - 1, 2 * AROUND))
        blends += not (np.array_equal(between, frames[AROUND - 1]) or np.array_equal(between, frames[AROUND]))
    return {"cut_blends": float(blends), "known_cuts": float(len(SHOTS))}


def clips_without_cuts() -> list[tuple[str, Frames]]:
    """Flashes of one to three frames, and fast motion: whole shots, and rendered motion four times as fast."""
    bunny = _frames("bigbuckbunny", 40, 16)
    clips = [(f"flash of {length} frames", with_flash(bunny, at, length)) for at, length in FLASHES]
    clips += [
        ("bikes, shot 4", _frames("bikes", 77, 58)),
        ("bikes, shot 4, every second frame", _frames("bikes", 77, 58)[::2]),
        ("bigbuckbunny, every third frame", _frames("bigbuckbunny", 0, 120)[::3]),
        ("title, fast letters", _frames("title", 140, 40)),
    ]
    for spec in held_out_specs(11, 810_000, frames=17):
        held = load_diorama(spec)
        clips.append((f"diorama, {held.name}, every fourth frame", np.ascontiguousarray(held.truth[::4])))
    return clips


def cuts_found(frames: Frames) -> dict[str, float]:
    """Number of cuts that the detector sees."""
    timeline = Timeline(ClipFootage(Clip(frames, Fraction(25))), find_cuts=True, drop_repeats=False)
    begun = [near.centre.begins_shot for near in timeline.around(range(len(frames)))]
    return {"cuts": float(sum(begun[1:]))}


def _frames(source: str, first: int, count: int) -> Frames:
    return truth_of(source, first, count)[0]
