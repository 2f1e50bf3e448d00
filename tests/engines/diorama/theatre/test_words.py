"""Scenes as words and files: what a caption says is there, what is held out stays out, what is wrong is named."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.diorama.__main__ import main
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.film import render_film
from engines.diorama.theatre.random_scene import is_held_out_scene, random_scene
from engines.diorama.theatre.relations import regions, relation_of
from engines.diorama.theatre.spec import (
    Camera,
    Figure,
    FilmSpec,
    Garment,
    Portrait,
    Relation,
    SceneSpec,
    Thing,
    parse_film,
)
from engines.errors import InvalidRequest
from engines.media.reader import read_clip


def test_a_caption_says_who_does_what_where_and_which_words_are_whose() -> None:
    left, right = regions("left of")
    spec = SceneSpec(
        scene="beach",
        actors=(Thing(noun="fox", motion="spins", region=left), Thing(noun="grapes", region=right)),
        camera=Camera(zoom=1.2),
    )
    said = caption(spec)
    assert said.text == "a fox spins to the left of some grapes on the beach, the camera zooms in"
    assert [said.text[begin:end] for begin, end in said.phrases] == ["a fox", "some grapes"]
    worn = Garment(kind="dress", pattern="stripes", colour="blue", second="yellow")
    doll = SceneSpec(scene="room", actors=(Figure(action="waves", garment=worn),))
    assert caption(doll).text == "a paper doll in a dress with blue and yellow stripes waves in a room"
    assert caption(SceneSpec(scene="room", actors=(Portrait(),))).text == "a face talks in a room"
    assert caption(SceneSpec(scene="room", actors=(Thing(noun="fox"),), frames=1)).text == "a fox in a room"


@pytest.mark.parametrize("relation", ["left of", "right of", "above", "below", "in front of"])
def test_relations_are_told_from_where_things_stand(relation: Relation) -> None:
    first, second = (Thing(noun="fox", region=place) for place in regions(relation))
    assert relation_of(first, second) == relation


def test_random_scenes_keep_to_their_side_and_are_of_every_kind() -> None:
    for held_out in (False, True):
        random = np.random.default_rng(7)
        scenes = [random_scene(random, held_out=held_out) for _ in range(300)]
        assert all(is_held_out_scene(scene) == held_out for scene in scenes)
        kinds = Counter((scene.actors[0].kind, len(scene.actors)) for scene in scenes)
        assert set(kinds) == {("thing", 1), ("thing", 2), ("figure", 1), ("portrait", 1)}
        assert min(kinds.values()) >= 5
        for scene in scenes[:50]:
            said = caption(scene, random)
            assert len(said.phrases) == len(scene.actors)
            assert said.text


def test_the_same_random_numbers_give_the_same_scene() -> None:
    one, other = (random_scene(np.random.default_rng(3), frames=9, height=128, width=64) for _ in range(2))
    assert one == other
    assert (one.frames, one.height, one.width) == (9, 128, 64)


@pytest.mark.parametrize(
    ("data", "field", "said"),
    [
        ({"scene": "moon"}, "scene", "there is no scene “moon”"),
        ({"actors": [{"kind": "thing", "noun": "yeti"}]}, "actors.0.noun", "there is no sprite “yeti”"),
        ({"actors": [{"kind": "thing", "noun": "fox", "motion": "flies"}]}, "actors.0.motion", "there is no motion"),
        ({"actors": [{"kind": "figure", "action": "swims"}]}, "actors.0.action", "input should be"),
        ({"frames": 0}, "frames", "greater than or equal to 1"),
        ({"light": {"brightness": 9}}, "light.brightness", "less than or equal to 1.5"),
        ({"colour": "red"}, "colour", "extra inputs are not permitted"),
        ({"shots": []}, "shots", "at least 1 item"),
        ({"shots": [{"height": 96}, {"height": 64}]}, "shots", "the same height"),
        ([1, 2], "spec", "list of named fields"),
    ],
)
def test_what_is_wrong_is_named(data: Any, field: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        parse_film(data)
    assert said in error.value.message
    assert (error.value.field or "").startswith(field)


def test_a_film_has_its_cuts_where_its_shots_meet() -> None:
    film = render_film(FilmSpec(shots=(SceneSpec(frames=5), SceneSpec(scene="night", frames=7, sound=False))))
    assert (film.cuts, len(film.frames)) == ((5,), 12)
    assert np.abs(film.frames[4].astype(int) - film.frames[5]).mean() > 30
    assert film.sound is not None
    assert film.sound.seconds == pytest.approx(0.5, abs=0.01)


def test_a_file_becomes_a_video_and_its_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "scene.yaml"
    spec.write_text(
        "scene: beach\nframes: 9\nactors:\n  - {kind: thing, noun: hedgehog, motion: bounces}\n"
        "  - {kind: figure, action: claps, depth: 5, garment: {pattern: hearts, colour: white, second: red}}\n",
        encoding="utf-8",
    )
    assert main(["render", "--spec", str(spec), "--out", str(tmp_path / "out")]) == 0
    clip = read_clip(tmp_path / "out" / "video.mp4")
    assert clip.frames.shape == (9, 96, 96, 3)
    assert clip.audio is not None
    truth = np.load(tmp_path / "out" / "truth_0.npz")
    assert truth["flow"].shape == (8, 96, 96, 2)
    assert truth["coverage"].shape == (2, 9, 96, 96)
    told = json.loads((tmp_path / "out" / "truth_0.json").read_text())
    assert told["phrases"] == ["a hedgehog", "a paper doll in a white shirt with red hearts"]
    assert "video.mp4" in capsys.readouterr().out


def test_a_spec_that_is_no_spec_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "scene.yaml"
    spec.write_text("scene: [", encoding="utf-8")
    assert main(["render", "--spec", str(spec), "--out", str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["render", "--noun", "fox", "--out", str(tmp_path / "a.mp4")]) == 2
    assert "--motion is missing" in capsys.readouterr().err
    assert main(["words"]) == 0
    assert "hedgehog" in capsys.readouterr().out
