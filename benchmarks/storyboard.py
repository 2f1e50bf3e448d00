"""Two scenes in one take: the same thing goes on with another motion, by every way, beside a cut.

Each take goes on from the first frame of a held-out scene of one thing; its caption is the first scene, the same with
another motion the second, 1.4 seconds each (motions that go on for ever). Arms: chained (the default: each part is
given the end of the one before, under the words that are due), shared_keys (DiTCtrl: side by side, averaged, each
attending to the part before), blended (averaged alone), and cut (each scene made by itself from that first frame).

Summary, for each ARM: ARM_motion_accuracy (Judge B on the last 17 frames of each scene), ARM_all_three, ARM_identity
(of the thing in the last 17 frames; identity_films: in how many it can be told from its scene), ARM_seam_jump (change
where the second scene begins / median change). Of the default motion_accuracy, identity and seam_jump.
A full run also writes assets/screenshots/storyboard_takes.png.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.held_out.rendering import CODE, FIRST_SEED, WEIGHTS, Frames, bundled, kept, reading, scene_name
from benchmarks.long_films.making import ENDLESS, OWN_CODE, STEPS, endless_scenes
from benchmarks.long_films.measuring import READ, SLICE, identity_at_end
from benchmarks.shared.report import Report, parse_options
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.long_video.chained import make_chain
from engines.long_video.choice import OVERLAP, plan_film, window_frames
from engines.long_video.continuous import Said, guidance_by_slots, make_continuous
from engines.long_video.decoding import decoded_film
from engines.long_video.film import Film
from engines.long_video.finished import FinishedChunks, KeptSteps
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.metrics.continuity import seam_jump

NAME = "storyboard"
TAKES, QUICK_TAKES, SHEET_TAKES, SEED, SCENE_FRAMES = 30, 2, 4, FIRST_SEED + 71, 33
ARMS = ("chained", "shared_keys", "blended", "cut")
DEFAULT, SCALE = "chained", 4.0
FRAMES = 2 * SCENE_FRAMES - 1
BORDER = SCENE_FRAMES  # the first frame of the second scene


def second_of(spec: SceneSpec) -> SceneSpec:
    """The same thing in the same scene, with the next of the motions."""
    (thing,) = spec.actors
    assert isinstance(thing, Thing)
    other = ENDLESS[(ENDLESS.index(thing.motion) + 1) % len(ENDLESS)]
    return spec.model_copy(update={"actors": (thing.model_copy(update={"motion": other}),)})


def take_of(spec: SceneSpec, arm: str) -> Frames:
    """uint8 [FRAMES, H, W, 3]."""
    name = f"take, {arm}: {scene_name(spec)}, then {caption(second_of(spec)).text}"
    return kept(
        name, lambda: _cut(spec) if arm == "cut" else _made(spec, arm, FRAMES), (*OWN_CODE, "benchmarks/storyboard.py")
    )


def _cut(spec: SceneSpec) -> Frames:
    """Both scenes by themselves, from the same first frame."""
    parts = [
        _made(one, "chained", frames, one) for one, frames in ((spec, SCENE_FRAMES), (second_of(spec), SCENE_FRAMES))
    ]
    return np.concatenate([parts[0], parts[1][1:]])


def _made(spec: SceneSpec, arm: str, frames: int, alone: SceneSpec | None = None) -> Frames:
    family = bundled()
    plan = plan_film("chained" if arm == "chained" else "averaged", frames, window_frames(family.card), OVERLAP, 4)
    empty = family.encode_prompt([""])
    middle = (SCENE_FRAMES - 1) // 4 + 1  # the slot with which the second scene begins
    scenes = [(spec, range(middle)), (second_of(spec), range(middle, plan.film_slots))]
    if alone is not None:
        scenes = [(alone, range(plan.film_slots))]
    said = [Said(slots, family.encode_prompt([caption(one).text]), empty) for one, slots in scenes]
    geometry = family.geometry(spec.height, spec.width, plan.padded_frames, spec.fps)
    window = (window_frames(family.card) - 1) // 4 + 1
    film = Film(family, geometry, window, plan, guidance_by_slots(said, SCALE), STEPS, spec.seed)
    film.given = family.encode(render_scene(spec).frames[:1])
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder), plan, dict[str, str](), ""
        if arm == "chained":
            latents = make_chain(film, FinishedChunks(*job))
        else:
            latents = make_continuous(film, KeptSteps(*job), share_keys=arm == "shared_keys")
    return np.concatenate(list(decoded_film(family, latents)))[:frames]


def measure(spec: SceneSpec, arm: str) -> dict[str, Any]:
    made, second = take_of(spec, arm), second_of(spec)
    ends = ((spec, made[BORDER - SLICE : BORDER]), (second, made[-SLICE:]))
    right = [{name: reading(frames)[name] == scene_words(one)[name] for name in READ} for one, frames in ends]
    return {
        "motion": float(np.mean([one["motion"] for one in right])),
        "all_three": float(np.mean([all(one.values()) for one in right])),
        "identity": identity_at_end(spec, made),
        "seam_jump": seam_jump(made, [BORDER]),
    }


def add_arm(report: Report, specs: list[SceneSpec], arm: str) -> None:
    rows = [report.row(arm, scene_name(spec), lambda s=spec: measure(s, arm)) for spec in specs]  # type: ignore[misc]
    report.mean(f"{arm}_motion_accuracy", [row["motion"] for row in rows])
    report.mean(f"{arm}_all_three", [row["all_three"] for row in rows])
    report.mean(f"{arm}_seam_jump", [row["seam_jump"] for row in rows])
    told = [row["identity"] for row in rows if row["identity"] is not None]
    report.mean(f"{arm}_identity", told or [0.0])
    if arm == DEFAULT:
        report.number("identity_films", float(len(told)))


def write_sheet(specs: list[SceneSpec]) -> None:
    clips, labels = [], []
    for spec in [specs[int(row)] for row in np.linspace(0, len(specs) - 1, SHEET_TAKES + 2)[1:-1]]:
        clips += [take_of(spec, arm) for arm in ARMS]
        labels += [f"{caption(spec).text}, then {second_of(spec).actors[0].motion}: {arm}" for arm in ARMS]  # type: ignore[union-attr]
    save_picture(Path("assets/screenshots/storyboard_takes.png"), contact_sheet(clips, 1, labels, frames_per_clip=12))


def main() -> None:
    options = parse_options(NAME, __doc__)
    report = Report(NAME, options, (*CODE, *OWN_CODE, "benchmarks/completing", "benchmarks/storyboard.py"), WEIGHTS)
    specs = endless_scenes(QUICK_TAKES if report.quick else TAKES, FRAMES, SEED)
    for arm in ARMS:
        add_arm(report, specs, arm)
    for key in ("motion_accuracy", "identity", "seam_jump"):
        report.number(key, report.summary[f"{DEFAULT}_{key}"])
    if not report.quick:
        write_sheet(specs)
    report.finish()


if __name__ == "__main__":
    main()
