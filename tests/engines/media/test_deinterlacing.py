"""Half pictures of two moments become whole frames; whole frames pass, each at its own time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engines.media.reader import ClipReader
from tests.engines.media.synthesis import Pictures, moving_picture, numbered_frames, numbers_of, write_video


def frames_of(path: Path, deinterlace: bool, start: float = 0) -> np.ndarray:
    return np.concatenate(list(ClipReader(path, deinterlace=deinterlace, start=start)))


def woven(moments: Pictures) -> Pictures:
    """Every two moments as one frame: even rows of the first, odd rows of the second."""
    frames = moments[::2].copy()
    frames[:, 1::2] = moments[1::2, 1::2]
    return frames


def combing(frames: np.ndarray) -> float:
    """How unlike rows are to the rows next to them, beyond how unlike they are to those after the next."""
    grey = frames.astype(float).mean(-1)
    return float(np.abs(grey[:, 1:-1] - (grey[:, :-2] + grey[:, 2:]) / 2).mean())


@pytest.mark.parametrize("fps", [12, 24, Fraction(30000, 1001)])
def test_whole_frames_pass_each_at_its_own_time(tmp_path: Path, fps: Fraction | int) -> None:
    path = write_video(tmp_path / "whole.mp4", numbered_frames(20), fps=fps)
    assert numbers_of(frames_of(path, deinterlace=True)) == list(range(20))
    assert np.array_equal(frames_of(path, deinterlace=True, start=0.25), frames_of(path, False, start=0.25))


def test_half_pictures_lose_their_combs(tmp_path: Path) -> None:
    moments = moving_picture(24, 64, 96)
    flags = {"flags": "+ilme+ildct", "x264-params": "tff=1"}
    path = write_video(tmp_path / "halves.mp4", woven(moments), fps=25, pixel_format="yuv444p", encoder_options=flags)
    combed, mended = frames_of(path, deinterlace=False), frames_of(path, deinterlace=True)
    assert mended.shape == combed.shape == (12, 64, 96, 3)
    assert combing(mended) < combing(combed) / 2
    # Each frame still shows its own moment: the bar of frame n stands where it stood at moment 2 n.
    bar = moments[::2].mean((1, 3)).argmax(1)
    seen = mended[:, ::2].mean((1, 3)).argmax(1)
    assert np.abs(seen - bar).max() <= 6
