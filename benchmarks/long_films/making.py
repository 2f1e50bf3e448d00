"""Films that go on from the first frame of a scene, by every way.

Shape legend: clips are uint8 [T, H, W, 3].
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.held_out.rendering import Frames, bundled, guidance_of, kept, request_for, round_trip, scene_name
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.long_video.chained import make_chain
from engines.long_video.choice import OVERLAP, plan_film, window_frames
from engines.long_video.decoding import decoded_film
from engines.long_video.film import Film
from engines.long_video.finished import FinishedChunks, KeptSteps
from engines.long_video.methods import LongMethod, make_film
from engines.long_video.streaming import make_streaming

OWN_CODE = ("engines/long_video", "benchmarks/long_films")
ENDLESS = ("bounces", "spins", "sways", "circles")
STEPS = 20
TRUTH, PLAIN = "truth", "averaged"
# Arm → way and overlap; what is not a way of its own is made below.
ARMS: dict[str, tuple[LongMethod, int]] = {
    "chained": ("chained", OVERLAP), "frame": ("chained", 4), "anchored": ("streaming", OVERLAP),
    "streaming": ("streaming", OVERLAP), "reencode": ("chained", OVERLAP), "rolling": ("rolling", OVERLAP),
    "averaged": ("averaged", OVERLAP), "spectral": ("spectral", 0), "at_once": ("at once", 0),
}  # fmt: skip


def endless_scenes(count: int, frames: int, seed: int) -> list[SceneSpec]:
    """Held-out scenes of one thing whose motion goes on for ever."""
    found = [
        spec.model_copy(update={"frames": frames})
        for spec in held_out_scenes("one thing", 8 * count, seed)
        if all(isinstance(actor, Thing) and actor.motion in ENDLESS for actor in spec.actors)
    ]
    return [found[round(row * (len(found) - 1) / max(1, count - 1))] for row in range(count)]


def film_of_scene(spec: SceneSpec, arm: str) -> Frames:
    """The scene's first frame and its caption, as a film of its length."""
    return kept(f"film, {arm}: {scene_name(spec)}", lambda: _made(spec, arm), OWN_CODE)


def borders_of(frames: int, arm: str) -> list[int]:
    """The first frames of all parts but the first; for what has none, those of the naive sliding window."""
    method, overlap = ARMS[arm if arm in ARMS and arm not in ("spectral", "at_once") else PLAIN]
    plan = plan_film(method, frames, window_frames(bundled().card), overlap, 4)
    return [chunk.made.start for chunk in plan.chunks[1:]]


def film_for(spec: SceneSpec, method: LongMethod, overlap: int, given: Frames) -> Film:
    """Ready to be made, with the request's defaults."""
    family, window = bundled(), window_frames(bundled().card)
    plan = plan_film(method, spec.frames, window, overlap, 4)
    guidance = guidance_of(request_for(spec))
    geometry = family.geometry(spec.height, spec.width, plan.padded_frames, spec.fps)
    film = Film(family, geometry, (window - 1) // 4 + 1, plan, lambda slots: guidance, STEPS, spec.seed)
    film.given = family.encode(given)
    return film


def _made(spec: SceneSpec, arm: str) -> Frames:
    truth = render_scene(spec).frames
    if arm == TRUTH:
        return round_trip(truth)
    method, overlap = ARMS[arm]
    film = film_for(spec, method, overlap, truth[:1])
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder), film.plan, dict[str, str](), ""
        if arm == "anchored":
            latents = make_streaming(film, FinishedChunks(*job), KeptSteps(*job), refined_from=0)
        elif arm == "reencode":
            latents = make_chain(film, FinishedChunks(*job), how="reencode")
        else:
            latents = make_film(method, film, Path(folder), {})
    return np.concatenate(list(decoded_film(film.family, latents)))[: spec.frames]
