"""The engine on files: sizes, sound, one frame, odd sides, what is wrong said before work starts."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from engines.context import RunContext
from engines.errors import LimitExceeded, MediaError, UserError
from engines.media.metadata import read_record
from engines.media.reader import ClipReader, read_clip
from engines.reproduce import reproduce
from engines.super_resolution.engine import SuperResolutionEngine
from engines.super_resolution.request import UpscaleRequest
from engines.task import parse_request
from tests.engines.media.synthesis import click_time, moving_picture, write_video


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", moving_picture(5, 36, 48), Fraction(30000, 1001), click_at=0.1)


def asked(video: Path, **fields: Any) -> UpscaleRequest:
    return parse_request(UpscaleRequest, {"video": video, **fields})


def test_twice_as_large_with_its_sound_and_again_the_same(clip: Path, tmp_path: Path) -> None:
    result = SuperResolutionEngine().run(asked(clip), RunContext(tmp_path / "work"))
    made = read_clip(result.files[0].path)
    assert made.frames.shape == (5, 72, 96, 3)
    assert made.fps == Fraction(30000, 1001)
    assert made.audio is not None
    assert click_time(made.audio.samples, made.audio.sample_rate) == pytest.approx(0.1, abs=0.03)
    assert result.measurements["frames"] == 5
    record = read_record(result.files[0].path)
    assert record.request["factor"] == 2.0
    assert len(record.inputs["video"]) == 64
    assert reproduce(result.files[0].path).equal


def test_exact_sizes_are_exact_and_alone_keep_the_proportions(clip: Path, tmp_path: Path) -> None:
    for number, (fields, size) in enumerate(
        [({"width": 100, "height": 50}, (100, 50)), ({"width": 100}, (100, 76)), ({"height": 54}, (72, 54))]
    ):
        result = SuperResolutionEngine().run(asked(clip, **fields), RunContext(tmp_path / str(number)))
        reader = ClipReader(result.files[0].path)
        assert (reader.width, reader.height) == size


def test_one_picture_and_a_turned_odd_clip(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    Image.fromarray(moving_picture(1, 31, 43)[0]).save(picture)
    result = SuperResolutionEngine().run(asked(picture), RunContext(tmp_path / "picture"))
    assert read_clip(result.files[0].path).frames.shape == (1, 62, 86, 3)
    turned = write_video(tmp_path / "turned.mp4", moving_picture(3, 36, 48), 24, rotation=90)
    result = SuperResolutionEngine().run(asked(turned, end=0.1), RunContext(tmp_path / "turned"))
    reader = ClipReader(result.files[0].path)
    assert (reader.width, reader.height, reader.info.rotation) == (72, 96, 0)


def test_what_is_wrong_is_said_before_work_starts(clip: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("this is no video", encoding="utf-8")
    engine = SuperResolutionEngine()
    with pytest.raises(MediaError) as media:
        engine.check(asked(text))
    assert media.value.field == "video"
    with pytest.raises(LimitExceeded) as large:
        engine.check(asked(clip, width=8192, height=8192))
    assert large.value.field == "width"
    with pytest.raises(UserError) as late:
        engine.check(asked(clip, start=9.0))
    assert "Choose a time between 0 and" in late.value.fix
    with pytest.raises(UserError, match="end = inf is not allowed"):
        asked(clip, end=float("inf"))
    other = tmp_path / "other.safetensors"
    save_file({"conv.weight": np.zeros((3, 3), np.float32)}, other)
    with pytest.raises(UserError, match="another architecture") as weights:
        engine.check(asked(clip, weights=other))
    assert weights.value.field == "weights"
    Image.new("RGB", (20_000, 20)).save(tmp_path / "wide.png")
    with pytest.raises(LimitExceeded) as wide:
        engine.check(asked(tmp_path / "wide.png"))
    assert "exact width" in wide.value.fix


def test_warnings_say_what_a_person_may_not_want(clip: Path) -> None:
    engine = SuperResolutionEngine()
    assert engine.check(asked(clip)) == []
    assert any("beyond that" in said for said in engine.check(asked(clip, factor=6)))
    assert any("proportions" in said for said in engine.check(asked(clip, width=200, height=50)))


def test_importing_and_checking_leave_torch_unloaded(clip: Path) -> None:

    code = (
        "import sys; from engines.task import make_engine, parse_request, request_class; task = 'super_resolution';"
        f"make_engine(task).check(parse_request(request_class(task), {{'video': {str(clip)!r}}}));"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
