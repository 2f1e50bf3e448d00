"""The engine on the bundled model: the video begins with the picture, does what is said, and can be made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engines.backend.registry import ModelRegistry
from engines.context import Progress, RunContext
from engines.diorama.judge import JUDGES_FOLDER
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.errors import Cancelled
from engines.image_animation.engine import ImageAnimationEngine
from engines.image_animation.request import ImageAnimationRequest
from engines.media.metadata import read_record
from engines.media.reader import read_clip
from engines.metrics.adherence import load_judge
from engines.metrics.adherence import read_clip as read_by_judge
from engines.metrics.psnr import pixel_psnr
from engines.task import Result, parse_request

METHODS = ("joint guidance", "word guidance", "picture prior", "replacement")


@pytest.fixture(scope="module")
def engine() -> ImageAnimationEngine:
    return ImageAnimationEngine(ModelRegistry(dtype=torch.float32))


@pytest.fixture(scope="module")
def scene() -> RenderedScene:
    thing = Thing(noun="fox", motion="slides right", seed=4)
    return render_scene(SceneSpec(scene="snow", actors=(thing,), sound=False, frames=17, seed=5))


@pytest.fixture(scope="module")
def picture(scene: RenderedScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "fox.png"
    Image.fromarray(scene.frames[0]).save(path)
    return path


def asked(picture: Path, scene: RenderedScene, **fields: Any) -> ImageAnimationRequest:
    said = {"picture": picture, "prompt": caption(scene.spec).text, "steps": 10, **fields}
    return parse_request(ImageAnimationRequest, said)


def frames_of(result: Result) -> np.ndarray[Any, Any]:
    return np.asarray(read_clip(result.files[0].path).frames, np.uint8)


def test_the_picture_begins_to_move_as_the_words_say(
    engine: ImageAnimationEngine, picture: Path, scene: RenderedScene, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    result = engine.run(asked(picture, scene), RunContext(tmp_path, seen.append))
    made = frames_of(result)
    assert made.shape == (17, 96, 96, 3)
    assert pixel_psnr(made[:1], scene.frames[:1]) > 24
    told = read_by_judge(load_judge(JUDGES_FOLDER / "b"), made).words
    assert (told["noun"], told["motion"]) == ("fox", "slides right")
    assert [one.step for one in seen if one.phase == "denoising"] == list(range(1, 11))
    record = read_record(result.files[0].path)
    assert record.request["task"] == "image_animation"
    assert set(record.inputs) == {"picture"}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_begins_with_the_picture_and_gives_the_same_again(
    engine: ImageAnimationEngine, picture: Path, scene: RenderedScene, tmp_path: Path, method: str
) -> None:
    request = asked(picture, scene, method=method, steps=4, frames=9)
    first, again = (frames_of(engine.run(request, RunContext(tmp_path / name))) for name in ("a", "b"))
    assert np.array_equal(first, again)
    assert pixel_psnr(first[:1], scene.frames[:1]) > 22
    other = frames_of(engine.run(request.model_copy(update={"seed": 9}), RunContext(tmp_path / "c")))
    assert not np.array_equal(first, other)


def test_the_slider_keeps_the_picture_or_lets_it_move(
    engine: ImageAnimationEngine, picture: Path, scene: RenderedScene, tmp_path: Path
) -> None:
    """Kept, later frames stay nearer to the picture than let move."""
    far = []
    for movement in (-1.0, 1.0):
        made = frames_of(engine.run(asked(picture, scene, movement=movement), RunContext(tmp_path / str(movement))))
        assert pixel_psnr(made[:1], scene.frames[:1]) > 22
        far.append(np.abs(made[1:9].astype(float) - made[0]).mean())
    assert far[0] < far[1]


def test_it_ends_with_the_picture_that_is_named(
    engine: ImageAnimationEngine, picture: Path, scene: RenderedScene, tmp_path: Path
) -> None:
    end = tmp_path / "end.png"
    Image.fromarray(scene.frames[-1]).save(end)
    made = frames_of(engine.run(asked(picture, scene, end_picture=end), RunContext(tmp_path / "work")))
    assert pixel_psnr(made[-1:], scene.frames[-1:]) > 20
    assert pixel_psnr(made[-1:], scene.frames[-1:]) > pixel_psnr(made[-1:], scene.frames[:1]) + 3


def test_cancel_takes_effect_between_two_steps(
    engine: ImageAnimationEngine, picture: Path, scene: RenderedScene, tmp_path: Path
) -> None:
    def stop(progress: Progress) -> None:
        if progress.phase == "denoising":
            raise Cancelled

    with pytest.raises(Cancelled):
        engine.run(asked(picture, scene), RunContext(tmp_path, stop))
    assert not list(tmp_path.glob("*.mp4"))


def test_a_film_begins_with_the_picture_and_has_the_length_that_was_asked_for(
    engine: ImageAnimationEngine, picture: Path, scene: RenderedScene, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    request = asked(picture, scene, frames=44, steps=3, end_picture=picture)
    result = engine.run(request, RunContext(tmp_path, seen.append))
    made = frames_of(result)
    assert made.shape == (44, 96, 96, 3)
    assert pixel_psnr(made[:1], scene.frames[:1]) > 24
    messages = [one.message for one in seen if one.phase == "denoising"]
    assert messages == ["Part 1 of 2."] * 3 + ["Part 2 of 2."] * 3
    assert any("are made in 2 chunks" in said for said in result.warnings)
    without = engine.run(asked(picture, scene, frames=44, steps=3), RunContext(tmp_path / "without"))
    assert np.array_equal(frames_of(without)[:20], made[:20])
    assert not np.array_equal(frames_of(without)[-5:], made[-5:])


def test_a_killed_film_goes_on_and_is_the_same(
    engine: ImageAnimationEngine, picture: Path, scene: RenderedScene, tmp_path: Path
) -> None:
    request = asked(picture, scene, frames=61, steps=2)
    whole = frames_of(engine.run(request, RunContext(tmp_path / "whole")))

    class Killed(BaseException):
        pass

    def kill(progress: Progress) -> None:
        if progress.phase == "denoising" and progress.step == 3:
            raise Killed

    with pytest.raises(Killed):
        engine.run(request, RunContext(tmp_path, kill))
    seen: list[Progress] = []
    again = engine.run(request, RunContext(tmp_path, seen.append))
    assert min(one.step for one in seen if one.phase == "denoising") == 3
    assert np.array_equal(frames_of(again), whole)


def test_takes_are_made_one_by_one_and_each_can_be_made_again_alone(
    engine: ImageAnimationEngine, picture: Path, scene: RenderedScene, tmp_path: Path
) -> None:
    result = engine.run(asked(picture, scene, frames=9, steps=2, takes=2, seed=6), RunContext(tmp_path))
    videos = [file for file in result.files if file.kind == "video"]
    assert [file.seed for file in videos] == [6, 7]
    clips = [read_clip(file.path).frames for file in videos]
    assert not np.array_equal(clips[0], clips[1])
    record = dict(read_record(videos[1].path).request)
    assert record.pop("task") == "image_animation"
    assert (record["seed"], record["takes"]) == (7, 1)
    alone = engine.run(parse_request(ImageAnimationRequest, record), RunContext(tmp_path / "alone"))
    assert np.array_equal(frames_of(alone), clips[1])
