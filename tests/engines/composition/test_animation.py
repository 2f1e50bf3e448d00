"""Animated pictures finished, on a tiny random model of the bundled kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engines.backend.registry import ModelRegistry
from engines.composition.animation.engine import FinishedAnimationEngine
from engines.composition.animation.request import FinishedImageAnimationRequest
from engines.context import RunContext
from engines.image_animation.engine import ImageAnimationEngine
from engines.image_animation.request import ImageAnimationRequest
from engines.media.metadata import read_record
from engines.media.reader import read_clip
from engines.task import make_engine, recorded_fields

SMALL: dict[str, Any] = {"prompt": "a fox spins", "frames": 9, "steps": 2}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(2).integers(0, 255, (96, 96, 3), np.uint8)).save(path)
    return path


def test_a_small_clip_becomes_larger_and_smoother(tiny_diorama: ModelRegistry, picture: Path, tmp_path: Path) -> None:
    plain = ImageAnimationEngine(tiny_diorama).run(
        ImageAnimationRequest(picture=picture, **SMALL), RunContext(tmp_path / "plain")
    )
    engine = FinishedAnimationEngine(tiny_diorama)
    result = engine.run(FinishedImageAnimationRequest(picture=picture, **SMALL), RunContext(tmp_path / "finished"))
    small, large = (read_clip(made.files[0].path) for made in (plain, result))
    assert (large.frames.shape, large.fps) == ((18, 384, 384, 3), 2 * small.fps)
    averaged = large.frames[::2].reshape(9, 96, 4, 96, 4, 3).mean((2, 4))
    assert np.abs(averaged - small.frames).mean() < 8


def test_a_file_says_what_makes_it_again(tiny_diorama: ModelRegistry, picture: Path, tmp_path: Path) -> None:
    engine = FinishedAnimationEngine(tiny_diorama)
    request = FinishedImageAnimationRequest(picture=picture, takes=2, seed=3, **SMALL)
    files = [file for file in engine.run(request, RunContext(tmp_path / "both")).files if file.kind == "video"]
    record = read_record(files[1].path)
    assert set(record.model["finishing"]) == {"upscaling", "interpolation"}
    again = FinishedImageAnimationRequest(**recorded_fields(record.request))
    assert (again.finish, again.seed, again.takes) == (True, 4, 1)
    assert read_record(engine.run(again, RunContext(tmp_path / "again")).files[0].path) == record


def test_it_is_finished_unless_told_otherwise(tiny_diorama: ModelRegistry, picture: Path, tmp_path: Path) -> None:
    engine = FinishedAnimationEngine(tiny_diorama)
    request = FinishedImageAnimationRequest(picture=picture, finish=False, **SMALL)
    path = engine.run(request, RunContext(tmp_path / "small")).files[0].path
    assert read_clip(path).frames.shape == (9, 96, 96, 3)
    assert "finishing" not in read_record(path).model
    before_there_was_finishing = {"task": "image_animation", "picture": str(picture), "prompt": "a fox spins"}
    assert recorded_fields(before_there_was_finishing)["finish"] is False
    assert isinstance(make_engine("image_animation"), FinishedAnimationEngine)
