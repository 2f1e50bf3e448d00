"""Figures, faces, garments, sound, looks: each does what its words say."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

import numpy as np
import pytest

from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.figures import ACTIONS, perform
from engines.diorama.theatre.garments import PATTERNS, pattern
from engines.diorama.theatre.spec import Action, Degradation, Figure, Garment, Light, Portrait, SceneSpec, Thing
from engines.diorama.vocabulary import outside, sprite_file


def figure(action: Action, seed: int = 1, **changes: object) -> SceneSpec:
    return SceneSpec(scene="grey wall", actors=(Figure(action=action, seed=seed),), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("action", get_args(Action))
@pytest.mark.parametrize("size", [(96, 96), (128, 64), (64, 128)])
def test_a_figure_is_seen_whole(action: Action, size: tuple[int, int]) -> None:
    for seed in range(4):
        joints = perform(Figure(action=action, seed=seed), 17, *size).points
        for name, places in joints.items():
            assert (places >= -2).all(), (name, seed)
            assert (places[:, 0] <= size[1] + 1).all(), (name, seed)
            assert (places[:, 1] <= size[0] + 1).all(), (name, seed)


def test_figures_do_what_they_are_told() -> None:
    joints = {action: perform(Figure(action=action, seed=2), 17, 96, 96).points for action in ACTIONS}
    right = {action: places["hips"][-1, 0] - places["hips"][0, 0] for action, places in joints.items()}
    assert right["walks right"] > 10
    assert right["walks left"] < -10
    assert np.ptp(joints["jumps"]["head"][:, 1]) > 8
    assert (joints["waves"]["right hand"][:, 1] < joints["waves"]["right shoulder"][:, 1]).all()
    assert max(np.ptp(places, axis=0).max() for places in joints["stands still"].values()) == 0
    apart = np.abs(joints["claps"]["left hand"] - joints["claps"]["right hand"])[:, 0]
    assert apart.min() < 4 < apart.max()


def test_patterns_are_unlike_each_other() -> None:
    cloths = {kind: pattern(Garment(pattern=kind, colour="blue", second="yellow"), 34, 34) for kind in PATTERNS}
    for one, other in combinations(cloths, 2):
        assert np.abs(cloths[one] - cloths[other]).mean() > 0.05, (one, other)
    assert len(PATTERNS) * 8 * 7 > 300


def test_a_mouth_opens_as_far_as_the_voice_is_loud() -> None:
    scene = render_scene(SceneSpec(scene="grey wall", frames=33, actors=(Portrait(seed=3),)), truth=True)
    assert scene.truth is not None
    assert scene.sound is not None
    mouth = scene.truth.mouths[0]
    assert mouth is not None
    seen = scene.truth.masks[list(scene.truth.names).index("mouth")].sum((1, 2))
    assert np.corrcoef(seen, mouth)[0, 1] > 0.99
    samples = scene.sound.track.samples[0]
    per_frame = samples[: len(samples) // 33 * 33].reshape(33, -1)
    # The sound of a frame lasts until the next one: between the two it passes from the one loudness to the other.
    heard, opening = np.sqrt((per_frame**2).mean(1))[:-1], (mouth[:-1] + mouth[1:]) / 2
    assert np.corrcoef(heard, opening)[0, 1] > 0.95
    silent = render_scene(SceneSpec(scene="grey wall", actors=(Portrait(speaks=False),)), truth=True)
    assert silent.truth is not None
    assert silent.truth.mouths[0] is not None
    assert silent.truth.mouths[0].max() == 0


@pytest.mark.parametrize(("action", "kind"), [("claps", "clap"), ("jumps", "thump")])
def test_what_happens_is_heard_when_it_happens(action: Action, kind: str) -> None:
    sound = render_scene(figure(action, frames=33)).sound
    assert sound is not None
    assert {onset.kind for onset in sound.onsets} == {kind}
    samples, rate = sound.track.samples[0], sound.track.sample_rate
    for onset in sound.onsets:
        begin = round(onset.seconds * rate)
        assert np.abs(samples[begin : begin + rate // 50]).max(initial=0) > 0.2
    assert np.abs(samples[: round(sound.onsets[0].seconds * rate) - 1]).max(initial=0) == 0


def test_a_bounce_is_heard_where_the_thing_is_lowest() -> None:
    scene = render_scene(SceneSpec(frames=33, actors=(Thing(noun="apple", motion="bounces", seed=5),)), truth=True)
    assert scene.sound is not None
    assert scene.truth is not None
    height = scene.truth.joints[0]["centre"][:, 1]
    assert scene.sound.onsets
    for onset in scene.sound.onsets:
        t = round(onset.seconds * 24)
        assert height[t] == max(height[t - 1 : t + 2])


def test_styles_light_and_degradation_change_frames_and_no_truth() -> None:
    plain = render_scene(figure("waves"))
    for changes in (
        {"style": "pencil"}, {"style": "pixel"}, {"style": "night"}, {"light": Light(brightness=0.5, warmth=0.5)},
        {"degradation": Degradation(blur=1.5)}, {"degradation": Degradation(noise=10)},
        {"degradation": Degradation(shrink=3)}, {"degradation": Degradation(quality=10)},
    ):  # fmt: skip
        other = render_scene(figure("waves", **changes))
        assert np.abs(other.frames.astype(int) - plain.frames).mean() > 0.3, changes
        np.testing.assert_array_equal(other.coverage, plain.coverage)
        np.testing.assert_array_equal(render_scene(figure("waves", **changes)).frames, other.frames)


def test_more_than_a_hundred_things_lie_outside_the_vocabulary() -> None:
    assert len(outside()) >= 100
    assert all(sprite_file(noun).is_file() for noun in outside())
    scene = render_scene(SceneSpec(actors=(Thing(noun="hedgehog"),), frames=1))
    assert scene.coverage[0].max() > 0.99
