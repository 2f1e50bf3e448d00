"""What a model made of footage finished, on a tiny random model of the bundled kind."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.backend.registry import ModelRegistry
from engines.composition.editing.engine import FinishedEditingEngine
from engines.composition.editing.request import FinishedVideoEditingRequest
from engines.context import RunContext
from engines.media.clip import Clip
from engines.media.metadata import read_record
from engines.media.reader import read_clip
from engines.media.writer import write_clip
from engines.task import make_engine, recorded_fields

SMALL: dict[str, Any] = {"mode": "restyle", "prompt": "a fox spins", "steps": 2}


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """What the studio makes: larger and with more frames a second than a model sees."""
    path = tmp_path / "a.mp4"
    frames = np.random.default_rng(2).integers(0, 255, (18, 24, 24, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    write_clip(path, Clip(frames, Fraction(48)))
    return path


def test_it_comes_back_as_large_and_as_smooth_as_it_was(
    tiny_diorama: ModelRegistry, video: Path, tmp_path: Path
) -> None:
    engine = FinishedEditingEngine(tiny_diorama)
    request = FinishedVideoEditingRequest(video=video, **SMALL)
    path = engine.run(request, RunContext(tmp_path / "finished")).files[0].path
    large = read_clip(path)
    assert (large.frames.shape, large.fps) == ((18, 384, 384, 3), 48)
    record = read_record(path)
    assert set(record.model["finishing"]) == {"upscaling", "interpolation"}
    again = FinishedVideoEditingRequest(**recorded_fields(record.request))
    assert again == request
    repeated = engine.run(again, RunContext(tmp_path / "again")).files[0].path
    np.testing.assert_array_equal(read_clip(repeated).frames, large.frames)

    small = engine.run(request.model_copy(update={"enlarge": False}), RunContext(tmp_path / "small")).files[0].path
    clip = read_clip(small)
    assert (clip.frames.shape, clip.fps) == ((9, 96, 96, 3), 24)
    assert "finishing" not in read_record(small).model
    averaged = large.frames[::2].reshape(9, 96, 4, 96, 4, 3).mean((2, 4))
    assert np.abs(averaged - clip.frames).mean() < 8


def test_what_no_model_made_stays_as_it_is(video: Path, tmp_path: Path) -> None:
    request = FinishedVideoEditingRequest(
        video=video, mode="remove", selection="marks", marks='[{"frame": 0, "kind": "box", "box": [20, 20, 60, 60]}]'
    )
    clip = read_clip(FinishedEditingEngine().run(request, RunContext(tmp_path / "a")).files[0].path)
    assert (clip.frames.shape, clip.fps) == ((18, 192, 192, 3), 48)


def test_files_from_before_were_not_made_larger() -> None:
    assert recorded_fields({"task": "video_editing", "video": "a.mp4"})["enlarge"] is False
    assert isinstance(make_engine("video_editing"), FinishedEditingEngine)
