"""A storyboard becomes one film on a tiny model: takes, cuts, crossfades, titles, music, kills."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engines.backend.registry import ModelRegistry
from engines.composition.storyboard.engine import StoryboardEngine
from engines.composition.storyboard.request import StoryboardRequest
from engines.context import Progress, RunContext
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.errors import InvalidRequest, MediaError
from engines.media.metadata import read_record
from engines.media.reader import read_clip
from engines.task import Result, parse_request, recorded_fields
from tests.engines.composition.storyboard.test_music import tone


def asked(*scenes: tuple[str, float, str], **fields: Any) -> StoryboardRequest:
    said = [{"prompt": prompt, "seconds": seconds, "transition": how} for prompt, seconds, how in scenes]
    lossless = {"export": "custom", "codec": "png", "finish": False}
    return parse_request(
        StoryboardRequest, {"scenes": said, "width": 64, "height": 64, "steps": 2, **lossless, **fields}
    )


def render(models: ModelRegistry, folder: Path, request: StoryboardRequest, **how: Any) -> Result:
    folder.mkdir(parents=True, exist_ok=True)
    return StoryboardEngine(models).run(request, RunContext(folder, **how))


class Killed(BaseException):
    pass


def render_until_killed(models: ModelRegistry, folder: Path, request: StoryboardRequest) -> None:
    """Nobody catches what ends it, at the fifth step."""

    def kill(progress: Progress) -> None:
        if progress.phase == "denoising" and progress.step == 5:
            raise Killed

    with pytest.raises(Killed):
        render(models, folder, request, report=kill)


def frames_of(result: Result) -> np.ndarray[Any, Any]:
    return np.asarray(read_clip(result.files[0].path).frames, np.float32)


TWO = (("a fox bounces", 0.5, "cut"), ("a cat spins", 0.5, "cut"))


def test_a_small_film_becomes_larger_unless_told_otherwise(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    small = frames_of(render(tiny_diorama, tmp_path / "small", asked(*TWO)))
    result = render(tiny_diorama, tmp_path / "large", asked(*TWO, finish=True))
    large = frames_of(result)
    assert large.shape == (24, 256, 256, 3)
    assert np.abs(large.reshape(24, 64, 4, 64, 4, 3).mean((2, 4)) - small).mean() < 8
    record = read_record(result.files[0].path)
    assert set(record.model["finishing"]) == {"upscaling"}
    assert recorded_fields({"task": "storyboard"})["finish"] is False


def test_cuts_join_takes_that_know_nothing_of_each_other(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    seen: list[Progress] = []
    result = render(tiny_diorama, tmp_path / "two", asked(*TWO), report=seen.append)
    whole = frames_of(result)
    assert whole.shape == (24, 64, 64, 3)
    assert [file.kind for file in result.files] == ["video", "thumbnail", "contact_sheet"]
    assert result.measurements["takes"] == 2
    alone = frames_of(render(tiny_diorama, tmp_path / "one", asked(TWO[0])))
    assert np.array_equal(whole[:12], alone)
    steps = [(one.step, one.total) for one in seen if one.phase == "denoising"]
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    record = read_record(result.files[0].path).request
    assert record["task"] == "storyboard"
    assert [scene["prompt"] for scene in record["scenes"]] == ["a fox bounces", "a cat spins"]


def test_a_crossfade_goes_from_one_to_the_other(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    cut = frames_of(render(tiny_diorama, tmp_path / "cut", asked(*TWO)))
    faded = asked(TWO[0], ("a cat spins", 0.5, "crossfade"), crossfade_seconds=0.25)
    film = frames_of(render(tiny_diorama, tmp_path / "fade", faded))
    assert film.shape[0] == 18
    assert np.array_equal(film[:6], cut[:6])
    assert np.array_equal(film[12:], cut[18:])
    for frame in range(6, 12):
        share = (frame - 6 + 0.5) / 6
        wanted = (1 - share) * cut[frame] + share * cut[frame + 6]
        assert np.abs(film[frame] - wanted).max() < 3


@pytest.mark.parametrize("goes_on", ["chained", "shared keys", "blended"])
def test_a_take_goes_on_over_scenes(goes_on: str, tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    scenes = (("a fox bounces", 1.0, "cut"), ("a fox spins", 1.5, "continue"))
    result = render(tiny_diorama, tmp_path, asked(*scenes, goes_on=goes_on))
    assert frames_of(result).shape[0] == 60
    assert result.measurements["takes"] == 1
    assert result.measurements["parts"] == 3


def test_a_title_stands_over_its_scene_alone(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    plain = frames_of(render(tiny_diorama, tmp_path / "plain", asked(*TWO)))
    request = asked(*TWO)
    titled = request.scenes[1].model_copy(update={"title": "Later"})
    request = request.model_copy(update={"scenes": (request.scenes[0], titled)})
    film = frames_of(render(tiny_diorama, tmp_path / "titled", request))
    assert np.array_equal(film[:12], plain[:12])
    below = np.abs(film[18, 40:] - plain[18, 40:])
    assert below.max() > 60
    assert np.array_equal(film[18, :32], plain[18, :32])


def test_music_is_under_the_whole_film(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    music = tone(tmp_path / "music.wav", 0.5)
    result = render(tiny_diorama, tmp_path / "film", asked(*TWO, music=music, music_fade_seconds=0.1, export="good"))
    sound = read_clip(result.files[0].path).audio
    assert sound is not None
    assert sound.seconds == pytest.approx(1.0, abs=0.06)
    assert float(np.abs(sound.samples).max()) > 0.05
    assert any("played 2 times" in said for said in result.warnings)
    assert "music" in read_record(result.files[0].path).inputs


def test_a_film_that_was_killed_goes_on_and_is_the_same(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    scenes = (("a fox bounces", 2.0, "cut"), ("a fox spins", 1.0, "continue"), ("a cat spins", 1.0, "crossfade"))
    whole = frames_of(render(tiny_diorama, tmp_path / "whole", asked(*scenes)))
    render_until_killed(tiny_diorama, tmp_path / "killed", asked(*scenes))
    seen: list[Progress] = []
    again = render(tiny_diorama, tmp_path / "killed", asked(*scenes), report=seen.append)
    assert min(one.step for one in seen if one.phase == "denoising") == 5
    assert np.array_equal(frames_of(again), whole)


def test_what_is_said_before_it_is_rendered(tiny_diorama: ModelRegistry) -> None:
    said = StoryboardEngine(tiny_diorama).check(asked(("a zebra bounces", 2.0, "cut"), ("a fox spins", 1.0, "cut")))
    assert said[0] == "72 frames (3.0 seconds) in 2 takes, made in 4 parts."
    assert any("zebra" in one for one in said)


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "red.png", tmp_path / "blue.png"
    for path, colour in zip(paths, ((200, 40, 40), (40, 40, 200)), strict=True):
        Image.new("RGB", (80, 64), colour).save(path)
    return paths


def with_pictures(request: StoryboardRequest, *numbers: tuple[int, int]) -> StoryboardRequest:
    """Each scene's: begins with, ends with."""
    scenes = tuple(
        scene.model_copy(update={"begins_with": first, "ends_with": last})
        for scene, (first, last) in zip(request.scenes, numbers, strict=True)
    )
    return request.model_copy(update={"scenes": scenes})


def test_scenes_begin_and_end_with_pictures(
    tiny_diorama: ModelRegistry, tmp_path: Path, pictures: tuple[Path, Path]
) -> None:
    scenes = (("a fox bounces", 1.0, "cut"), ("a fox spins", 0.5, "continue"), ("a cat spins", 0.5, "cut"))
    plain = asked(*scenes, pictures=pictures)
    free = frames_of(render(tiny_diorama, tmp_path / "free", plain))
    result = render(tiny_diorama, tmp_path / "held", with_pictures(plain, (1, 0), (0, 2), (2, 0)))
    held = frames_of(result)
    family = tiny_diorama.load("diorama")
    for frame, colour in ((0, (200, 40, 40)), (36, (40, 40, 200))):
        picture = np.full((1, 64, 64, 3), colour, np.uint8)
        shown = np.concatenate(list(family.decode(family.encode(picture))))[0].astype(float)
        assert np.abs(held[frame] - shown).max() <= 1, "the first frame of a take is the picture's own"
        assert np.abs(free[frame] - shown).mean() > 1
    begun = frames_of(render(tiny_diorama, tmp_path / "begun", with_pictures(plain, (1, 0), (0, 0), (2, 0))))
    assert not np.array_equal(held[1:36], begun[1:36]), "the picture at the end of the first take was heard"
    assert np.array_equal(held[36:], begun[36:])
    assert len(read_record(result.files[0].path).inputs["pictures"]) == 2


def test_the_bundled_model_comes_to_the_picture_at_the_end(bundled_model: ModelRegistry, tmp_path: Path) -> None:
    thing = Thing(noun="apple", motion="slides right", seed=4)
    scene = SceneSpec(scene="grey wall", actors=(thing,), sound=False, frames=17, seed=5)
    last = render_scene(scene).frames[-1]
    Image.fromarray(last).save(tmp_path / "last.png")
    said = (f"{caption(scene).text}", 17 / 24, "cut")
    plain = asked(said, width=96, height=96, steps=8, pictures=(tmp_path / "last.png",))
    films = {
        ends: frames_of(render(bundled_model, tmp_path / f"{ends}", with_pictures(plain, (0, ends)))) for ends in (0, 1)
    }
    away = {ends: float(np.abs(film[-1] - last).mean()) for ends, film in films.items()}
    assert away[1] < 0.6 * away[0], away


def test_a_film_with_pictures_that_was_killed_is_the_same(
    tiny_diorama: ModelRegistry, tmp_path: Path, pictures: tuple[Path, Path]
) -> None:
    request = with_pictures(asked(("a fox bounces", 2.0, "cut"), pictures=pictures), (1, 2))
    whole = frames_of(render(tiny_diorama, tmp_path / "whole", request))
    render_until_killed(tiny_diorama, tmp_path / "killed", request)
    assert np.array_equal(frames_of(render(tiny_diorama, tmp_path / "killed", request)), whole)


@pytest.mark.parametrize(
    ("seconds", "numbers", "how", "says", "field"),
    [
        (1.0, (3, 0), "chained", "Scene 1 names picture 3; there are 2", "scenes"),
        (0.04, (1, 2), "chained", "one frame long and cannot begin with one picture", "scenes"),
        (3.0, (1, 2), "blended", "no picture can be reached on the way", "goes_on"),
    ],
)
def test_pictures_that_cannot_be_reached_are_said(
    tiny_diorama: ModelRegistry, pictures: tuple[Path, Path],
    seconds: float, numbers: tuple[int, int], how: str, says: str, field: str,
) -> None:  # fmt: skip
    scenes = (("a fox bounces", seconds, "cut"), ("a fox spins", 1.0, "continue"))
    request = with_pictures(asked(*scenes, pictures=pictures, goes_on=how), numbers, (0, 0))
    with pytest.raises(InvalidRequest, match=says) as refused:
        StoryboardEngine(tiny_diorama).check(request)
    assert refused.value.field == field


def test_a_picture_that_no_scene_names_is_said_and_a_damaged_one_refused(
    tiny_diorama: ModelRegistry, tmp_path: Path, pictures: tuple[Path, Path]
) -> None:
    engine = StoryboardEngine(tiny_diorama)
    request = with_pictures(asked(("a fox bounces", 1.0, "cut"), pictures=pictures), (1, 0))
    assert "No scene names picture 2." in engine.check(request)
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(pictures[0].read_bytes()[:40])
    with pytest.raises(MediaError) as refused:
        engine.check(request.model_copy(update={"pictures": (damaged,)}))
    assert refused.value.field == "pictures"
