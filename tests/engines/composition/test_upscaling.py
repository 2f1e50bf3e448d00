"""The chain behind the Upscale tab: larger and smoother in one job, from frames that were never encoded between."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engines.composition.upscaling.engine import UpscaleChainEngine
from engines.composition.upscaling.request import UpscaleChainRequest
from engines.context import Progress, RunContext
from engines.errors import InvalidRequest, LimitExceeded, Paused
from engines.footage.video import VideoFootage
from engines.interpolation.engine import InterpolationEngine
from engines.interpolation.interpolated import Rate
from engines.media.digest import FramesDigest
from engines.media.metadata import read_record
from engines.media.reader import read_clip
from engines.reproduce import reproduce
from engines.super_resolution.engine import SuperResolutionEngine
from engines.task import parse_request
from tests.engines.media.synthesis import moving_picture, write_video


def asked(video: Path, **fields: Any) -> UpscaleChainRequest:
    return parse_request(UpscaleChainRequest, {"video": video, "factor": 2, **fields})


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", moving_picture(6, 48, 64), 12, click_at=0.2)


def test_larger_and_smoother_in_one_file(clip: Path, tmp_path: Path) -> None:
    result = UpscaleChainEngine().run(asked(clip, rate="x2"), RunContext(tmp_path / "work"))
    made = read_clip(result.files[0].path)
    assert (made.fps, made.frames.shape) == (24, (12, 96, 128, 3))
    assert made.audio is not None
    assert (result.measurements["width"], result.measurements["fps"]) == (128, 24)
    record = read_record(result.files[0].path)
    assert (record.request["task"], record.request["rate"]) == ("super_resolution", "x2")
    assert record.model["interpolation"]["id"] == "rife-4.0"
    assert reproduce(result.files[0].path).equal


def test_nothing_is_encoded_between_the_two(clip: Path, tmp_path: Path) -> None:
    """The digest of the frames is that of the two stages one upon the other, and not of a file between them."""

    def digest(frames: np.ndarray) -> str:
        one_chunk = FramesDigest()
        one_chunk.update(frames)
        return hashlib.sha256(one_chunk.hexdigest().encode()).hexdigest()

    request = asked(clip, rate="x2")
    result = UpscaleChainEngine().run(request, RunContext(tmp_path / "work"))
    larger = SuperResolutionEngine().stage(request, VideoFootage(clip))
    chain = InterpolationEngine().stage(larger, Rate(Fraction(24)))
    wanted = np.stack(list(chain.frames(range(chain.count))))
    assert read_record(result.files[0].path).frames_sha256 == digest(wanted)
    upscaled = SuperResolutionEngine().run(request, RunContext(tmp_path / "alone"))
    again = InterpolationEngine().stage(VideoFootage(upscaled.files[0].path), Rate(Fraction(24)))
    through_a_file = np.stack(list(again.frames(range(again.count))))
    assert digest(through_a_file) != digest(wanted)


def test_the_same_rate_is_plain_upscaling(clip: Path, tmp_path: Path) -> None:
    plain = SuperResolutionEngine().run(asked(clip), RunContext(tmp_path / "plain")).files[0].path
    same = UpscaleChainEngine().run(asked(clip), RunContext(tmp_path / "chain")).files[0].path
    assert read_record(same) == read_record(plain)


def test_a_paused_chain_goes_on_at_its_chunk(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "long.mp4", moving_picture(30, 32, 48), 12)
    rendered: list[int] = []

    def report(progress: Progress) -> None:
        if progress.phase == "rendering":
            rendered.append(progress.step)

    def border() -> None:
        raise Paused("wait")

    request, engine = asked(clip, rate="x2", factor=1), UpscaleChainEngine()
    with pytest.raises(Paused):
        engine.run(request, RunContext(tmp_path / "work", report, chunk_border=border))
    assert rendered == list(range(1, 49))
    rendered.clear()
    result = engine.run(request, RunContext(tmp_path / "work", report))
    assert rendered == list(range(49, 61))
    assert result.measurements["chunks_kept"] == 1
    whole = engine.run(request, RunContext(tmp_path / "whole"))
    assert read_record(result.files[0].path) == read_record(whole.files[0].path)


def test_what_is_wrong_is_said_of_the_rate(clip: Path, tmp_path: Path) -> None:
    engine = UpscaleChainEngine()
    Image.fromarray(moving_picture(1, 48, 64)[0]).save(tmp_path / "one.png")
    with pytest.raises(InvalidRequest, match="one frame") as still:
        engine.check(asked(tmp_path / "one.png", rate="x2"))
    assert still.value.field == "rate"
    fast = write_video(tmp_path / "fast.mp4", moving_picture(6, 48, 64), 60)
    with pytest.raises(LimitExceeded, match="at most 240"):
        engine.check(asked(fast, rate="x8"))
    assert any("left out" in said for said in engine.check(asked(fast, rate="24")))
    assert engine.check(asked(clip, rate="x2")) == []
