"""Edits by words: another thing, another place, another colour; who makes them, and what is measured.

Shape legend: clips uint8 [T, H, W, 3].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from benchmarks.completing.objects import identity_under_mask
from benchmarks.held_out.rendering import Frames, bundled, decoded, geometry_of, reading
from engines.diorama.clip_spec import TURNING
from engines.diorama.judge.words import scene_words
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import COLOURS, held_out_scenes
from engines.diorama.theatre.spec import Figure, SceneSpec, Thing
from engines.diorama.vocabulary import world
from engines.metrics.psnr import background_psnr
from engines.video_editing.methods.clip_edit import ClipEdit, Edited, How, Words
from engines.video_editing.methods.controlled import draw_to_source
from engines.video_editing.methods.differences import move_by_difference, weigh_difference
from engines.video_editing.methods.noising import noise_and_sample
from engines.video_editing.methods.value_sharing import share_values

Change = Literal["noun", "scene", "colour"]
KINDS: dict[Change, str] = {"noun": "one thing", "scene": "one thing", "colour": "figure"}
SEEDS: dict[Change, int] = {"noun": 11, "scene": 12, "colour": 13}


@dataclass(frozen=True)
class WordEdit:
    """A clip and what it shall become: the same scene but for one word."""

    change: Change
    source: SceneSpec
    target: SceneSpec


def word_edits(change: Change, count: int, seed: int) -> list[WordEdit]:
    """From held-out scenes; the other word is drawn from the seed."""
    made = []
    for row, spec in enumerate(held_out_scenes(KINDS[change], count, seed + SEEDS[change])):
        random = np.random.default_rng([seed, SEEDS[change], row])
        made.append(WordEdit(change, spec, _changed(spec, change, random)))
    return made


def _changed(spec: SceneSpec, change: Change, random: np.random.Generator) -> SceneSpec:
    (actor,) = spec.actors
    if change == "scene":
        others = [scene for scene in world().scenes if scene != spec.scene]
        return spec.model_copy(update={"scene": str(random.choice(others))})
    if isinstance(actor, Thing):
        able = [
            noun for noun, facts in world().nouns.items()
            if noun != actor.noun and (facts.turns or actor.motion not in TURNING)
        ]  # fmt: skip
        return spec.model_copy(update={"actors": (actor.model_copy(update={"noun": str(random.choice(able))}),)})
    assert isinstance(actor, Figure)
    worn = actor.garment
    others = [colour for colour in COLOURS if colour not in (worn.colour, worn.second)]
    garment = worn.model_copy(update={"colour": str(random.choice(others))})
    return spec.model_copy(update={"actors": (actor.model_copy(update={"garment": garment}),)})


Method = Callable[[ClipEdit], Edited]
STRENGTHS = (0.5, 0.65, 0.8)
# The request's defaults, and what they stand beside.
OURS = How(steps=24, solver="rf_solver", shared_steps=3, strength=0.9)
WHOLE = replace(OURS, strength=1.0)
ARMS: dict[str, tuple[Method, How]] = {
    "ours": (share_values, OURS),
    "values_alone": (share_values, replace(OURS, hold=0.0)),
    "without_sharing": (share_values, replace(OURS, shared_steps=0, hold=0.0)),
    **{f"noising_{strength}": (noise_and_sample, replace(OURS, strength=strength)) for strength in STRENGTHS},
    "anew": (noise_and_sample, WHOLE),
    "difference": (move_by_difference, replace(OURS, strength=0.8, guidance_scale=5.0)),
    "weighed_difference": (weigh_difference, replace(OURS, strength=0.8)),
    "drawn_to_source": (draw_to_source, WHOLE),
}


def edited(edit: WordEdit, arm: str) -> Frames:
    family, geometry = bundled(), geometry_of(edit.source)
    method, how = ARMS[arm]
    clean = family.pack(family.encode(render_scene(edit.source).frames), geometry).values
    said = (caption(edit.source).text, caption(edit.target).text, "")
    words = Words(*(family.encode_prompt([text]) for text in said))
    made = method(ClipEdit(family, geometry, clean, words, replace(how, seed=edit.source.seed)))
    return decoded(family.unpack(made.tokens, geometry))


def measure(edit: WordEdit, arm: str) -> dict[str, Any]:
    """words: what Judge B reads; background_psnr against the source, outside of both things (not of scene edits);
    identity of the thing, where the scene rendered with the change has it (of scene edits)."""
    made = edited(edit, arm)
    row: dict[str, Any] = {"words": reading(made)}
    if edit.change == "scene":
        row["identity"] = identity_under_mask(edit.target, made)
        return row
    source, target = render_scene(edit.source), render_scene(edit.target)
    masks = np.concatenate([source.coverage[0], target.coverage[0]])
    row["background_psnr"] = background_psnr(made, source.frames, masks)
    return row


def is_success(edit: WordEdit, row: dict[str, Any]) -> float:
    """The new word is read, and what moves moves as before."""
    wanted, was, read = scene_words(edit.target), scene_words(edit.source), row["words"]
    if edit.change == "noun":
        return float(read["noun"] == wanted["noun"] and read["motion"] == was["motion"])
    if edit.change == "scene":
        return float(read["scene"] == wanted["scene"] and read["noun"] == was["noun"])
    return float(read["colour"] == wanted["colour"] and read["action"] == was["action"])
