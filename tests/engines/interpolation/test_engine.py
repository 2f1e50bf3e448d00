"""The engine on files: rates, slow motion, morphing; better than mixing; what is wrong said before work starts."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engines.context import RunContext
from engines.diorama.clip_spec import held_out_specs
from engines.diorama.render import render
from engines.errors import InvalidRequest, LimitExceeded
from engines.footage.footage import ClipFootage
from engines.interpolation.engine import WEIGHTS, InterpolationEngine
from engines.interpolation.interpolated import Interpolated, Rate
from engines.interpolation.request import InterpolationRequest
from engines.interpolation.weights import load_flow_network
from engines.media.clip import Clip
from engines.media.reader import read_clip
from engines.metrics.psnr import pixel_psnr
from engines.reproduce import reproduce
from engines.task import parse_request
from tests.engines.media.synthesis import moving_picture, write_video


def asked(video: Path, **fields: Any) -> InterpolationRequest:
    return parse_request(InterpolationRequest, {"video": video, **fields})


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", moving_picture(6, 48, 64), 12, click_at=0.2)


def test_frames_between_are_nearer_to_the_truth_than_a_mix() -> None:
    spec = next(one for one in held_out_specs(200) if one.motion.startswith("slides"))
    truth = render(spec, with_flow=False).frames
    given = ClipFootage(Clip(truth[::2].copy(), Fraction(12)))
    stage = Interpolated(given, load_flow_network(WEIGHTS), Rate(Fraction(24)))
    made = np.stack(list(stage.frames(range(len(truth) - 1))))
    np.testing.assert_array_equal(made[::2], truth[:-1:2])
    mix = ((truth[:-2:2].astype(int) + truth[2::2]) / 2).round().astype(np.uint8)
    between = truth[1:-1:2]
    assert pixel_psnr(made[1::2], between) > pixel_psnr(mix, between) + 2
    np.testing.assert_array_equal(np.stack(list(stage.frames(range(5, 8)))), made[5:8])


@pytest.mark.parametrize(
    ("fields", "fps", "frames"),
    [({}, 24, 12), ({"rate": "x4"}, 48, 24), ({"rate": "30"}, 30, 15), ({"rate": "24", "slower": 2.0}, 24, 24)],
)
def test_rates(clip: Path, tmp_path: Path, fields: dict[str, Any], fps: int, frames: int) -> None:
    result = InterpolationEngine().run(asked(clip, **fields), RunContext(tmp_path / "work"))
    made = read_clip(result.files[0].path)
    assert (made.fps, len(made.frames)) == (fps, frames)
    assert made.audio is not None
    assert made.audio.seconds == pytest.approx(frames / fps, abs=0.12)


def test_the_same_again(clip: Path, tmp_path: Path) -> None:
    result = InterpolationEngine().run(asked(clip), RunContext(tmp_path / "work"))
    assert reproduce(result.files[0].path).equal


def test_one_picture_turns_into_another(tmp_path: Path) -> None:
    for name, frame in zip(("one.png", "two.png"), moving_picture(6, 48, 64)[::5], strict=True):
        Image.fromarray(frame).save(tmp_path / name)
    request = asked(tmp_path / "one.png", second=tmp_path / "two.png", morph_seconds=0.5)
    made = read_clip(InterpolationEngine().run(request, RunContext(tmp_path / "work")).files[0].path)
    assert (made.fps, len(made.frames)) == (24, 24)
    apart = [np.abs(frame.astype(int) - made.frames[0]).mean() for frame in made.frames]
    assert apart[12] > apart[2]
    assert apart[-1] >= apart[6]


def test_what_is_wrong_is_said_before_work_starts(clip: Path, tmp_path: Path) -> None:
    engine, picture = InterpolationEngine(), tmp_path / "picture.png"
    Image.fromarray(moving_picture(1)[0]).save(picture)
    with pytest.raises(InvalidRequest, match="nothing between one frame"):
        engine.check(asked(picture))
    with pytest.raises(InvalidRequest) as second:
        engine.check(asked(picture, second=clip))
    assert second.value.field == "second"
    fast = write_video(tmp_path / "fast.mp4", moving_picture(8, 48, 64), 60)
    with pytest.raises(LimitExceeded, match="at most 240"):
        engine.check(asked(fast, rate="x8"))
    assert any("left out" in said for said in engine.check(asked(fast, rate="24")))
