"""A file's frames by number are its frames in order, wherever one begins to read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engines.errors import MediaError
from engines.footage.neighbours import with_neighbours
from engines.footage.video import VideoFootage
from tests.engines.media.synthesis import numbered_frames, numbers_of, write_video


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001)])
def test_any_range_gives_what_the_whole_gives(tmp_path: Path, fps: Fraction) -> None:
    footage = VideoFootage(write_video(tmp_path / "clip.mp4", numbered_frames(25), fps))
    assert (footage.count, footage.fps) == (25, fps)
    for wanted in (range(25), range(7, 8), range(11, 20), range(24, 25)):
        assert numbers_of(np.stack(list(footage.frames(wanted)))) == list(wanted)


def test_in_and_out_points_count_from_the_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", numbered_frames(24), 24)
    footage = VideoFootage(path, 0.25, 0.5)
    assert footage.count == 6
    assert numbers_of(np.stack(list(footage.frames(range(2, 6))))) == [8, 9, 10, 11]


def test_variable_rate_becomes_constant_and_has_as_many_frames_as_it_says(tmp_path: Path) -> None:
    times = [Fraction(step, 24) for step in (0, 1, 2, 6, 7, 8, 9, 12, 13, 14)]
    path = write_video(tmp_path / "clip.mp4", numbered_frames(10), 24, times)
    footage = VideoFootage(path)
    whole = numbers_of(np.stack(list(footage.frames(range(footage.count)))))
    assert whole[:8] == [0, 1, 2, 2, 2, 2, 3, 4]
    assert numbers_of(np.stack(list(footage.frames(range(5, 9))))) == whole[5:9]


def test_a_file_that_ends_early_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    footage = VideoFootage(write_video(tmp_path / "clip.mp4", numbered_frames(24), 24))
    footage.count = 24 * 10
    with pytest.raises(MediaError, match="ends at 1") as raised:
        list(footage.frames(range(20, 240)))
    assert "out point of at most 1.0 seconds" in raised.value.fix


def test_neighbours_are_streamed_and_fewer_at_the_ends() -> None:
    asked: list[int] = []

    def stage(wanted: range) -> list[int]:
        asked.extend(wanted)
        return list(wanted)

    found = list(with_neighbours(stage, range(1, 5), 2, 6))
    assert [near.items for near in found] == [(0, 1, 2, 3), (0, 1, 2, 3, 4), (1, 2, 3, 4, 5), (2, 3, 4, 5)]
    assert [near.centre for near in found] == [1, 2, 3, 4]
    assert list(found[0].others) == [0, 2, 3]
    assert asked == [0, 1, 2, 3, 4, 5], "each is asked for once"
