"""The engine on files: what is asked for is shown, the rest stays, the file tells how to make it again."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engines.backend.registry import ModelRegistry
from engines.context import Progress, RunContext
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.errors import InvalidRequest, LimitExceeded, UserError
from engines.media.metadata import read_record
from engines.media.reader import read_clip
from engines.media.writer import ClipWriter
from engines.metrics.adherence import load_judge
from engines.metrics.adherence import read_clip as read_by_judge
from engines.metrics.psnr import background_psnr, masked_psnr, pixel_psnr
from engines.reproduce import reproduce
from engines.task import parse_request
from engines.video_editing.engine import VideoEditingEngine
from engines.video_editing.request import VideoEditingRequest

JUDGE = Path("assets/models/judges/b")


def a_scene(noun: str) -> RenderedScene:
    thing = Thing(noun=noun, motion="slides left", seed=4)
    return render_scene(SceneSpec(scene="snow", actors=(thing,), sound=False, frames=17, seed=5))


@pytest.fixture(scope="module")
def scene() -> RenderedScene:
    return a_scene("fox")


@pytest.fixture(scope="module")
def video(scene: RenderedScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("footage") / "fox.mp4"
    with ClipWriter(path, Fraction(24)) as writer:
        writer.write(scene.frames)
    return path


@pytest.fixture(scope="module")
def engine() -> VideoEditingEngine:
    return VideoEditingEngine(ModelRegistry(dtype=torch.float32))


def asked(video: Path, **fields: Any) -> VideoEditingRequest:
    return parse_request(VideoEditingRequest, {"video": video, **fields})


def words(scene: RenderedScene, noun: str, **fields: Any) -> dict[str, Any]:
    said = caption(scene.spec).text
    return {"source_prompt": said, "prompt": said.replace("a fox", noun), "steps": 12, **fields}


def test_another_thing_does_the_same_in_the_same_place(
    engine: VideoEditingEngine, scene: RenderedScene, video: Path, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    request = asked(video, **words(scene, "a rocket"))
    result = engine.run(request, RunContext(tmp_path / "edit", seen.append))
    made = read_clip(result.files[0].path)
    assert (made.frames.shape, made.fps) == ((17, 96, 96, 3), 24)
    told = read_by_judge(load_judge(JUDGE), np.asarray(made.frames, np.uint8))
    assert (told.noun, told.motion, told.scene) == ("rocket", "slides left", "snow")
    anew = engine.run(asked(video, **words(scene, "a rocket", method="noising")), RunContext(tmp_path / "anew"))
    masks = np.concatenate([scene.coverage[0], a_scene("rocket").coverage[0]])
    kept, lost = (
        background_psnr(np.asarray(read_clip(one.files[0].path).frames, np.uint8), scene.frames, masks)
        for one in (result, anew)
    )
    assert kept > lost + 3  # how much over many clips, benchmarks.editing says
    measured = result.measurements
    assert measured["roundtrip_psnr"] > 30
    assert measured["noise_std"] == pytest.approx(1, abs=0.15)
    assert abs(measured["noise_correlation"]) < 0.1
    assert measured["evaluations"] > 12 * 3
    phases = [one.phase for one in seen]
    assert [phase for phase in dict.fromkeys(phases) if phase in ("inverting", "denoising", "checking")] == [
        "inverting", "denoising", "checking",
    ]  # fmt: skip


def test_a_thing_is_meant_by_its_name(
    engine: VideoEditingEngine, scene: RenderedScene, video: Path, tmp_path: Path
) -> None:
    request = asked(video, mode="remove", selection="words", thing="the fox")
    result = engine.run(request, RunContext(tmp_path / "named"))
    empty = render_scene(scene.spec.model_copy(update={"actors": ()})).frames
    made = np.asarray(read_clip(result.files[0].path).frames, np.uint8)
    assert masked_psnr(made, empty, scene.coverage[0]) > masked_psnr(scene.frames, empty, scene.coverage[0]) + 8
    assert "word_selection_sha256" in read_record(result.files[0].path).model
    other = asked(video, mode="remove", selection="words", thing="the umbrella")
    with pytest.raises(InvalidRequest, match=r"looks like “the umbrella”\. It seems to show “the \w+"):
        engine.run(other, RunContext(tmp_path / "other"))


def test_the_file_says_how_it_was_made_and_is_made_again(
    engine: VideoEditingEngine, scene: RenderedScene, video: Path, tmp_path: Path
) -> None:
    request = asked(video, **words(scene, "an owl", steps=4, report=False, method="difference"))
    result = engine.run(request, RunContext(tmp_path))
    record = read_record(result.files[0].path)
    assert record.request["prompt"] == request.prompt
    assert record.model["id"] == "diorama"
    assert set(record.inputs) == {"video"}
    assert "roundtrip_psnr" not in result.measurements
    again = RunContext(tmp_path / "again", models=ModelRegistry(dtype=torch.float32))
    assert reproduce(result.files[0].path, context=again).equal


def test_the_people_of_a_real_picture_stay_and_the_background_goes(engine: VideoEditingEngine, tmp_path: Path) -> None:
    data = pytest.importorskip("skimage.data")
    Image.fromarray(data.astronaut()).save(tmp_path / "person.png")
    request = asked(tmp_path / "person.png", mode="background", background="colour", colour="#00ff00", export="archive")
    result = engine.run(request, RunContext(tmp_path / "work"))
    frame = np.asarray(read_clip(result.files[0].path).frames)[0].astype(int)
    corner, face = frame[8:40, 470:505].reshape(-1, 3).mean(0), frame[90:150, 200:260].reshape(-1, 3).mean(0)
    assert corner[1] > 200 > 90 > corner[0]
    assert np.abs(face - data.astronaut()[90:150, 200:260].reshape(-1, 3).mean(0)).max() < 12


def test_a_clip_is_restyled_frame_by_frame(
    engine: VideoEditingEngine, scene: RenderedScene, video: Path, tmp_path: Path
) -> None:
    drawn = render_scene(scene.spec.model_copy(update={"style": "pencil"}))
    said = f"a pencil drawing of {caption(scene.spec).text}"
    seen: list[Progress] = []
    request = asked(video, mode="restyle", prompt=said, steps=8, end=0.2)
    result = engine.run(request, RunContext(tmp_path, seen.append))
    made = np.asarray(read_clip(result.files[0].path).frames, np.uint8)
    assert 4 <= len(made) < 17
    truth, was = drawn.frames[: len(made)], scene.frames[: len(made)]
    assert pixel_psnr(made, truth) > pixel_psnr(was, truth) + 1
    assert [one.step for one in seen if one.phase == "denoising"] == list(range(len(made) + 1))


def boxed(scene: RenderedScene) -> str:
    rows, columns = np.nonzero(scene.coverage[0][0] > 0.5)
    box = [max(0, columns.min() - 2), max(0, rows.min() - 2), min(96, columns.max() + 3), min(96, rows.max() + 3)]
    return json.dumps([{"frame": 0, "kind": "box", "box": [int(side) for side in box]}])


def test_what_is_marked_is_removed_and_the_file_is_made_again(
    engine: VideoEditingEngine, scene: RenderedScene, video: Path, tmp_path: Path
) -> None:
    request = asked(video, mode="remove", selection="marks", marks=boxed(scene))
    seen: list[Progress] = []
    result = engine.run(request, RunContext(tmp_path / "work", seen.append))
    made = np.asarray(read_clip(result.files[0].path).frames, np.uint8)
    empty = render_scene(scene.spec.model_copy(update={"actors": ()})).frames
    assert masked_psnr(made, empty, scene.coverage[0]) > 25
    assert read_by_judge(load_judge(JUDGE), made).noun != "fox"
    assert "selecting" in {one.phase for one in seen}
    assert reproduce(result.files[0].path).equal


def test_a_mask_of_ones_own_says_what_is_moved(
    engine: VideoEditingEngine, scene: RenderedScene, video: Path, tmp_path: Path
) -> None:
    with ClipWriter(tmp_path / "mask.mp4", Fraction(24)) as writer:
        writer.write(np.repeat((scene.coverage[0] > 0.5)[..., None], 3, axis=3).astype(np.uint8) * 255)
    request = asked(video, mode="move", selection="mask", mask=tmp_path / "mask.mp4", move_down=-0.2, copy_thing=True)
    result = engine.run(request, RunContext(tmp_path / "work"))
    made = np.asarray(read_clip(result.files[0].path).frames).astype(int)
    empty = render_scene(scene.spec.model_copy(update={"actors": ()})).frames.astype(int)
    more, before = ((np.abs(one - empty).max(-1) > 40).sum() for one in (made, scene.frames.astype(int)))
    assert more > 1.2 * before


def test_nobody_in_the_video_is_said(engine: VideoEditingEngine, scene: RenderedScene, tmp_path: Path) -> None:
    with ClipWriter(tmp_path / "empty.mp4", Fraction(24)) as writer:
        writer.write(render_scene(scene.spec.model_copy(update={"actors": ()})).frames)
    with pytest.raises(InvalidRequest, match="No person was found") as caught:
        engine.run(asked(tmp_path / "empty.mp4", mode="background"), RunContext(tmp_path / "work"))
    assert caught.value.field == "mode"


@pytest.mark.parametrize(
    ("fields", "field", "fix"),
    [
        ({"prompt": " "}, "prompt", "Say what the clip shall show"),
        ({"prompt": "a fox", "source_prompt": " a fox "}, "prompt", "what shall be there instead"),
        ({"mode": "background", "background": "picture"}, "picture", "Bring a picture"),
        ({"mode": "remove", "selection": "marks"}, "marks", "Click on the thing"),
        ({"mode": "remove", "selection": "marks", "marks": "here"}, "marks", "Give a list such as"),
        (
            {"mode": "remove", "selection": "marks", "marks": '[{"frame": 99, "kind": "click", "points": [[1, 1]]}]'},
            "marks",
            "Mark a frame inside the clip",
        ),
        ({"mode": "remove", "selection": "mask"}, "mask", "white where the thing is"),
        ({"mode": "remove", "selection": "words"}, "thing", "Say which thing is meant"),
        ({"mode": "remove", "selection": "words", "thing": "the rabit"}, "thing", "Do you mean “the rabbit”?"),
        ({"mode": "remove", "selection": "words", "thing": "a zeppelin"}, "thing", "Mark the thing"),
        (
            {"mode": "move", "selection": "marks", "marks": '[{"frame": 0, "kind": "click", "points": [[1, 1]]}]'},
            "move_right",
            "Say where it goes",
        ),
        ({"mode": "background", "background": "colour", "colour": "green"}, "colour", "Choose colour"),
        ({"prompt": "an owl", "model": "nothing"}, "model", ""),
        ({"prompt": "an owl", "start": 9.0}, "video", "Choose a time between 0 and 0.71 seconds"),
        ({"prompt": "an owl", "strength": 0.0}, "strength", "Choose strength"),
    ],
)
def test_what_is_wrong_is_said_before_work_starts(
    engine: VideoEditingEngine, video: Path, fields: dict[str, Any], field: str, fix: str
) -> None:
    with pytest.raises(UserError) as caught:
        engine.check(asked(video, **fields))
    assert caught.value.field == field
    assert fix in caught.value.fix


def long_video(path: Path, frames: int) -> Path:
    thing = Thing(noun="fox", motion="slides left", seed=4)
    film = render_scene(SceneSpec(scene="snow", actors=(thing,), sound=False, frames=frames, seed=5))
    with ClipWriter(path, Fraction(24)) as writer:
        writer.write(film.frames)
    return path


def test_a_longer_clip_is_edited_in_chunks_and_goes_on_after_a_kill(engine: VideoEditingEngine, tmp_path: Path) -> None:
    video = long_video(tmp_path / "long.mp4", 33)
    request = asked(
        video, prompt="a rocket slides left in the snow", source_prompt="a fox slides left in the snow",
        method="difference", steps=2, report=False, export="archive",
    )  # fmt: skip
    assert any("chunks of up to" in said for said in engine.check(request))
    whole = engine.run(request, RunContext(tmp_path / "whole"))
    assert whole.measurements["chunks"] >= 2
    assert {"drift", "seam_jump", "source_seam_jump"} <= set(whole.measurements)

    class Killed(Exception):
        pass

    def kill() -> None:
        raise Killed

    context = RunContext(tmp_path / "killed", chunk_border=kill)
    with pytest.raises(Killed):
        engine.run(request, context)
    again = engine.run(request, RunContext(tmp_path / "killed"))
    assert again.measurements["chunks_kept"] == 1
    assert again.measurements["evaluations"] < whole.measurements["evaluations"]
    first, second = (read_clip(one.files[0].path).frames for one in (whole, again))
    np.testing.assert_array_equal(first, second)
    assert len(first) == 33


def test_a_video_that_is_too_long_and_one_that_is_broken(engine: VideoEditingEngine, tmp_path: Path) -> None:
    with ClipWriter(tmp_path / "long.mp4", Fraction(24)) as writer:
        writer.write(np.zeros((300, 64, 64, 3), np.uint8))
    with pytest.raises(LimitExceeded, match="300 frames"):
        engine.check(asked(tmp_path / "long.mp4", prompt="an owl"))
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(UserError) as caught:
        engine.check(asked(tmp_path / "bad.mp4", prompt="an owl"))
    assert caught.value.field == "video"


def test_what_a_person_should_know_is_said(engine: VideoEditingEngine, video: Path) -> None:
    said = engine.check(asked(video, prompt="an owl", steps=4, kept_steps=9))
    assert any("Without a source prompt" in one for one in said)
    assert any("Only 4 steps can be kept" in one for one in said)
    assert engine.check(asked(video, prompt="an owl in the snow", source_prompt="a fox in the snow")) == []
