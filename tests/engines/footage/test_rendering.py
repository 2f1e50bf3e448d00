"""Chunks, joined, are the whole; a job that is killed goes on with the first missing chunk."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engines.context import CancelToken, RunContext
from engines.errors import Cancelled
from engines.footage.export import PRESETS
from engines.footage.footage import ClipFootage
from engines.footage.rendering import Output, Rendered, render_footage
from engines.media.audio_encoding import AudioSource
from engines.media.clip import Clip
from engines.media.formats import CODECS, VideoFormat, h264, prores
from engines.media.metadata import OutputRecord, read_record
from engines.media.probe import probe
from engines.media.reader import ClipReader, read_clip
from tests.engines.media.synthesis import click_time, moving_picture, numbered_frames, numbers_of, write_video

FRAMES = 20
RECORD = OutputRecord(framewright="test", request={"task": "none"})


class Counted(ClipFootage):
    """Footage that says which frames it was asked for."""

    def __init__(self, clip: Clip) -> None:
        super().__init__(clip)
        self.asked: list[int] = []

    def frames(self, wanted: range):  # type: ignore[no-untyped-def]
        for index, frame in zip(wanted, super().frames(wanted), strict=True):
            self.asked.append(index)
            yield frame


@pytest.fixture
def footage() -> Counted:
    return Counted(Clip(numbered_frames(FRAMES), Fraction(24)))


def output(folder: Path, how: VideoFormat | None = PRESETS["good"], name: str = "result.mp4") -> Output:
    return Output(folder / name, how, None, RECORD, {"wanted": 1}, chunk_frames=6)


def killed_at(frame: int, folder: Path) -> RunContext:
    """A context whose cancel token is set once this frame was reported."""
    token = CancelToken()
    return RunContext(
        folder, lambda now: token.cancel() if (now.phase, now.step) == ("rendering", frame) else None, token
    )


def test_what_was_killed_is_continued_and_equals_what_was_not(footage: Counted, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("killed", "whole")]
    for folder in folders:
        folder.mkdir()
    for frame in (3, 15):
        with pytest.raises(Cancelled):
            render_footage(footage, output(folders[0]), killed_at(frame, folders[0]))
    assert not (folders[0] / "result.mp4").exists(), "nothing half-written"
    footage.asked.clear()
    rendered = render_footage(footage, output(folders[0]), RunContext(folders[0]))
    assert (rendered.chunks, rendered.chunks_kept) == (4, 2)
    assert footage.asked == list(range(12, FRAMES))
    render_footage(footage, output(folders[1]), RunContext(folders[1]))
    killed, whole = (folder / "result.mp4" for folder in folders)
    assert killed.read_bytes() == whole.read_bytes()
    assert numbers_of(read_clip(killed).frames) == list(range(FRAMES))


def test_a_finished_result_is_not_made_twice_and_another_plan_begins_anew(footage: Counted, tmp_path: Path) -> None:
    render_footage(footage, output(tmp_path), RunContext(tmp_path))
    footage.asked.clear()
    assert render_footage(footage, output(tmp_path), RunContext(tmp_path)).chunks_kept == 4
    assert footage.asked == []
    render_footage(footage, replace(output(tmp_path), plan={"wanted": 2}), RunContext(tmp_path))
    assert footage.asked == list(range(FRAMES))


def test_the_record_and_the_sound_are_in_the_joined_file(footage: Counted, tmp_path: Path) -> None:
    source = write_video(tmp_path / "source.mp4", numbered_frames(FRAMES), 24, click_at=0.4)
    wanted = replace(output(tmp_path), audio=AudioSource(source))
    render_footage(footage, wanted, RunContext(tmp_path))
    clip = read_clip(wanted.path)
    assert clip.audio is not None
    assert click_time(clip.audio.samples, clip.audio.sample_rate) == pytest.approx(0.4, abs=0.03)
    record = read_record(wanted.path)
    assert record.request == {"task": "none"}
    assert len(record.frames_sha256 or "") == 64


def test_slow_motion_stretches_the_sound(tmp_path: Path) -> None:
    source = write_video(tmp_path / "source.mp4", numbered_frames(FRAMES), 24, click_at=0.4)
    slow = ClipFootage(Clip(np.repeat(numbered_frames(FRAMES), 2, 0), Fraction(24)))
    wanted = replace(output(tmp_path), audio=AudioSource(source, slower=Fraction(2)))
    render_footage(slow, wanted, RunContext(tmp_path))
    clip = read_clip(wanted.path)
    assert clip.audio is not None
    assert clip.audio.seconds == pytest.approx(2 * FRAMES / 24, abs=0.1)
    loudest = np.abs(clip.audio.samples[0]).argmax() / clip.audio.sample_rate
    assert loudest == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize("name", [*CODECS, "h264 in 10 bits", "h265 in 10 bits", "prores"])
def test_every_codec_joins(name: str, tmp_path: Path) -> None:
    codec, _, ten_bit = name.partition(" in ")
    how = prores() if name == "prores" else CODECS[codec](18, bool(ten_bit))
    frames = moving_picture(FRAMES, 64, 96)
    wanted = output(tmp_path, how, f"result{how.suffix}")
    render_footage(ClipFootage(Clip(frames, Fraction(24))), wanted, RunContext(tmp_path))
    info = probe(wanted.path)
    assert info.fps == 24
    assert info.bit_depth == (10 if how.ten_bit else 8)
    found = read_clip(wanted.path).frames
    assert found.shape == frames.shape
    assert np.abs(found.astype(int) - frames).mean() < 6


@pytest.mark.parametrize("name", ["result.gif", "result.zip"])
def test_pictures_are_written_from_lossless_chunks(name: str, footage: Counted, tmp_path: Path) -> None:
    rendered: Rendered = render_footage(footage, output(tmp_path, None, name), RunContext(tmp_path))
    assert rendered.files[0].path.name == name
    found = np.concatenate(list(ClipReader(tmp_path / name)))
    assert found.dtype == np.uint8
    if name.endswith(".zip"):
        np.testing.assert_array_equal(found, numbered_frames(FRAMES))
    else:
        assert numbers_of(found)[:FRAMES] == list(range(FRAMES))[: len(found)]


def test_progress_counts_frames_and_shows_one_now_and_then(footage: Counted, tmp_path: Path) -> None:
    seen = []
    render_footage(footage, output(tmp_path, h264(18)), RunContext(tmp_path, seen.append))
    steps = [one.step for one in seen if one.phase == "rendering"]
    assert steps == list(range(1, FRAMES + 1))
    shown = [one.preview for one in seen if one.preview is not None]
    assert shown
    assert shown[0].shape == (1, 48, 64, 3)
