"""A moved thing that a model finishes: around it and in it the clip's own pixels, between them new ones."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engines.backend.registry import ModelRegistry
from engines.context import Progress, RunContext
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.spec import Region, SceneSpec, Thing
from engines.errors import InvalidRequest
from engines.media.reader import read_clip
from engines.media.writer import ClipWriter
from engines.task import parse_request
from engines.video_editing.check import by_a_model, check_request
from engines.video_editing.engine import VideoEditingEngine
from engines.video_editing.finishing import moved_mattes, touched_parts
from engines.video_editing.objects import Move
from engines.video_editing.request import VideoEditingRequest


@pytest.fixture(scope="module")
def engine() -> VideoEditingEngine:
    return VideoEditingEngine(ModelRegistry(dtype=torch.float32))


@pytest.fixture(scope="module")
def scene() -> RenderedScene:
    thing = Thing(
        noun="penguin", motion="stays still", region=Region(left=0.05, top=0.2, width=0.45, height=0.6), seed=4
    )
    return render_scene(SceneSpec(scene="red wall", actors=(thing,), sound=False, frames=9, seed=5))


@pytest.fixture(scope="module")
def video(scene: RenderedScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("footage") / "penguin.mp4"
    with ClipWriter(path, Fraction(24)) as writer:
        writer.write(scene.frames)
    return path


def boxed(scene: RenderedScene) -> str:
    rows, columns = np.nonzero(scene.coverage[0][0] > 0.5)
    box = [max(0, columns.min() - 2), max(0, rows.min() - 2), min(96, columns.max() + 3), min(96, rows.max() + 3)]
    return json.dumps([{"frame": 0, "kind": "box", "box": [int(side) for side in box]}])


class Still:
    """A matte that stands still."""

    def __init__(self, matte: np.ndarray) -> None:
        self._matte = matte

    def mattes(self, wanted: range):  # type: ignore[no-untyped-def]
        return (self._matte for _ in wanted)


def test_the_matte_goes_where_the_thing_goes() -> None:
    matte = np.zeros((40, 60), np.float32)
    matte[10:20, 10:20] = 1
    (there,) = moved_mattes(Still(matte), Move(right=25, down=5), range(1))
    assert there[15:25, 35:45].min() == 1
    assert there.sum() == pytest.approx(100)
    (both,) = moved_mattes(Still(matte), Move(right=25, copy=True), range(1))
    assert both.sum() == pytest.approx(200)
    (nothing,) = moved_mattes(Still(np.zeros_like(matte)), Move(right=25), range(1))
    assert nothing.sum() == 0


def test_the_inside_of_the_thing_is_kept_where_it_is_now() -> None:
    was, now = np.zeros((2, 1, 96, 96), np.float32)
    was[0, 20:50, 10:40] = now[0, 20:50, 50:80] = 1
    touched, inside = touched_parts(was, now)
    assert touched[0, 18:52, 8:42].min() == touched[0, 18:52, 48:82].min() == 1
    assert touched[0, :, 90:].max() == touched[0, 60:].max() == 0
    assert inside[0, 30:40, 60:70].min() == pytest.approx(1, abs=1e-3)
    assert inside[0, :, :50].max() == 0


def test_only_what_was_touched_is_made_anew(
    engine: VideoEditingEngine, scene: RenderedScene, video: Path, tmp_path: Path
) -> None:
    said = {"mode": "move", "selection": "marks", "marks": boxed(scene), "move_right": 0.4, "steps": 6,
            "prompt": caption(scene.spec).text}  # fmt: skip
    seen = list[Progress]()
    made = {}
    for finish in (False, True):
        request = parse_request(VideoEditingRequest, {"video": video, **said, "finish": finish})
        result = engine.run(request, RunContext(tmp_path / str(finish), seen.append))
        made[finish] = np.asarray(read_clip(result.files[0].path).frames, np.float32)
    mask = scene.coverage[0] > 0.5
    columns = np.nonzero(mask.any((0, 1)))[0]
    change = np.abs(made[True] - made[False]).mean(-1)
    middle = change[:, :, (columns.min() + columns.max()) // 2 + round(0.4 * 96)][:, mask.any((0, 2))]
    assert change.max() > 8, "something was made anew"
    assert np.median(middle) < 4, "the thing's inside was not"
    assert change[:, :6, :6].max() < 4, "nor what is far from it"
    assert {"inverting", "denoising"} <= {one.phase for one in seen}


def test_a_prompt_is_asked_for_and_a_thing_that_is_everywhere_refused(
    engine: VideoEditingEngine, scene: RenderedScene, video: Path, tmp_path: Path
) -> None:
    fields = {"video": video, "mode": "remove", "selection": "marks", "marks": boxed(scene), "finish": True}
    request = parse_request(VideoEditingRequest, fields)
    assert by_a_model(request)
    with pytest.raises(InvalidRequest, match="The prompt is empty"):
        check_request(request, engine._catalogue())
    whole = tmp_path / "white.png"
    Image.fromarray(np.full((96, 96, 3), 255, np.uint8)).save(whole)
    covered = parse_request(
        VideoEditingRequest, {**fields, "selection": "mask", "mask": whole, "prompt": "a red wall", "steps": 2}
    )
    with pytest.raises(InvalidRequest, match="everything in the picture") as error:
        engine.run(covered, RunContext(tmp_path / "work"))
    assert error.value.field == "finish"
