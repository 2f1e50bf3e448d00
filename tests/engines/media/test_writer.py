from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engines.errors import MediaError, ResourceError
from engines.media.audio_encoding import AudioSource
from engines.media.clip import AudioTrack, Clip
from engines.media.digest import frames_digest
from engines.media.metadata import OutputRecord, read_record, sidecar_of
from engines.media.probe import probe
from engines.media.reader import ClipReader, read_clip
from engines.media.target import disk_errors
from engines.media.writer import ClipWriter, write_clip
from tests.engines.media.synthesis import click, click_time, moving_picture, numbered_frames, numbers_of, write_video

FORMATS = ["mp4", "webm", "gif", "zip"]
RECORD = OutputRecord(framewright="0.1.0", request={"task": "text_to_video", "prompt": "Ein Vögelchen ✓", "seed": 7})


def close_enough(path: Path, frames: np.ndarray) -> None:
    clip = read_clip(path)
    assert clip.frames.shape == frames.shape
    assert np.abs(clip.frames.astype(int) - frames).mean() < (0.01 if path.suffix == ".zip" else 4)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_clip_back(tmp_path: Path, suffix: str) -> None:
    frames, path = moving_picture(20), tmp_path / "new" / "folder" / f"a.{suffix}"
    write_clip(path, Clip(frames, Fraction(24)), metadata=RECORD)
    close_enough(path, frames)
    info = probe(path)
    assert (info.fps, info.variable_frame_rate) == (24, False)
    assert info.duration_seconds == pytest.approx(20 / 24, abs=0.02)
    assert read_record(path) == RECORD.model_copy(update={"frames_sha256": frames_digest(frames)})
    assert sorted(entry.name for entry in path.parent.iterdir()) == sorted(
        [path.name] + ([sidecar_of(path).name] if suffix in ("gif", "zip") else [])
    )


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_frames_give_equal_bytes_however_they_are_cut(tmp_path: Path, suffix: str) -> None:
    frames = moving_picture(14)
    for name, chunks in (("a", [frames]), ("b", [frames[:5], frames[5], frames[6:]])):
        with ClipWriter(tmp_path / f"{name}.{suffix}", 24, metadata=RECORD) as writer:
            for chunk in chunks:
                writer.write(chunk)
        assert writer.frame_count == 14
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_small_mp4_do_not_vary_from_run_to_run(tmp_path: Path) -> None:
    """With x264's macroblock trees, these came out in 9 kinds (encoding.py)."""
    clip = Clip(moving_picture(14, 96, 96), Fraction(24))
    contents = set()
    for _ in range(15):
        write_clip(tmp_path / "a.mp4", clip)
        contents.add((tmp_path / "a.mp4").read_bytes())
    assert len(contents) == 1


def test_mp4_is_tagged_and_starts_fast(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_clip(path, Clip(moving_picture(4), Fraction(30000, 1001)))
    info = probe(path)
    assert (info.codec, info.pixel_format, info.fps) == ("h264", "yuv420p", Fraction(30000, 1001))
    colour = info.colour
    assert (colour.matrix, colour.range, colour.primaries, colour.transfer) == ("bt709", "limited", "bt709", "bt709")
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
@pytest.mark.parametrize("flat", [(200, 60, 30), (20, 180, 90), (40, 50, 210), (128, 128, 128)])
def test_flat_colours_stay_within_two_levels(tmp_path: Path, suffix: str, flat: tuple[int, int, int]) -> None:
    frames = np.broadcast_to(np.array(flat, np.uint8), (3, 48, 64, 3)).copy()
    write_clip(tmp_path / f"a.{suffix}", Clip(frames, Fraction(24)))
    assert np.abs(read_clip(tmp_path / f"a.{suffix}").frames.astype(int) - frames).max() <= 2


def test_odd_sizes(tmp_path: Path) -> None:
    frames = moving_picture(6, height=37, width=51)
    for suffix in FORMATS:
        path = tmp_path / f"a.{suffix}"
        warnings = write_clip(path, Clip(frames, Fraction(12)))
        clip = read_clip(path)
        if suffix == "mp4":
            assert clip.frames.shape == (6, 38, 52, 3)
            assert warnings == [
                "This codec needs even sizes: 51 × 37 became 52 × 38 by repeating the last row or column."
            ]
        else:
            assert (clip.frames.shape, warnings) == (frames.shape, [])
        assert np.abs(clip.frames[:, :37, :51].astype(int) - frames).mean() < 5


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_sound_is_encoded_in_step(tmp_path: Path, suffix: str, rate: int) -> None:
    track = AudioTrack(click(2.0, 1.25, rate), rate)
    path = tmp_path / f"a.{suffix}"
    write_clip(path, Clip(numbered_frames(24), Fraction(12), track))
    written = ClipReader(path).audio()
    assert written is not None
    assert click_time(written.samples, written.sample_rate) == pytest.approx(1.25, abs=0.004)
    assert written.seconds == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_sound_ends_with_the_picture_at_the_latest(tmp_path: Path, seconds: float) -> None:
    path = tmp_path / "a.mp4"
    write_clip(path, Clip(numbered_frames(24), Fraction(12), AudioTrack(click(seconds, 0.5), 48_000)))
    audio = probe(path).audio
    assert audio is not None
    assert audio.duration_seconds == pytest.approx(min(seconds, 2.0), abs=0.03)


def test_sound_of_a_source_is_copied_bit_by_bit_where_the_format_takes_it(tmp_path: Path) -> None:
    source = write_video(tmp_path / "source.mp4", moving_picture(48), click_at=1.25)
    with ClipWriter(tmp_path / "a.mp4", 48, audio=AudioSource(source)) as writer:
        for chunk in ClipReader(source, fps=48):
            writer.write(chunk)
    before, after = ClipReader(source).audio(), ClipReader(tmp_path / "a.mp4").audio()
    assert before is not None
    assert after is not None
    np.testing.assert_array_equal(before.samples, after.samples)


def test_sound_of_a_part_of_a_source_is_encoded_in_step(tmp_path: Path) -> None:
    source = write_video(tmp_path / "source.mp4", moving_picture(48), click_at=1.25)
    for suffix in ("mp4", "webm"):
        with ClipWriter(tmp_path / f"a.{suffix}", 24, audio=AudioSource(source, start=0.75, end=1.75)) as writer:
            for chunk in ClipReader(source, start=0.75, end=1.75):
                writer.write(chunk)
        track = ClipReader(tmp_path / f"a.{suffix}").audio()
        assert track is not None
        assert click_time(track.samples, track.sample_rate) == pytest.approx(0.5, abs=0.004)
        assert track.seconds == pytest.approx(1.0, abs=0.03)


def test_sound_and_pictures_lie_side_by_side_in_the_file(tmp_path: Path) -> None:
    with ClipWriter(tmp_path / "a.mp4", 12, audio=AudioTrack(click(20, 1.0), 48_000)) as writer:
        for _ in range(20):
            writer.write(moving_picture(12))
    ahead = {"video": 0.0, "audio": 0.0}
    with av.open(str(tmp_path / "a.mp4")) as container:
        for packet in container.demux():
            if packet.pts is not None:
                ahead[packet.stream.type] = float(packet.pts * packet.time_base)
                assert abs(ahead["video"] - ahead["audio"]) < 3


def test_formats_without_sound_say_so(tmp_path: Path) -> None:
    warnings = write_clip(tmp_path / "a.gif", Clip(numbered_frames(4), Fraction(12), AudioTrack(click(1, 0.2), 48_000)))
    assert warnings == ["A GIF holds no sound: it was left out. Choose MP4 or WebM to keep it."]


def test_sixteen_bits_stay_in_a_picture_sequence(tmp_path: Path) -> None:
    frames = (np.arange(2 * 8 * 8 * 3).reshape(2, 8, 8, 3) * 150).astype(np.uint16)
    for suffix in FORMATS:
        with ClipWriter(tmp_path / f"a.{suffix}", 12) as writer:
            writer.write(frames)
    assert probe(tmp_path / "a.zip").bit_depth == 16
    np.testing.assert_array_equal(np.concatenate(list(ClipReader(tmp_path / "a.zip", bit_depth=16))), frames)
    eight = read_clip(tmp_path / "a.zip").frames
    assert np.abs(eight.astype(int) - frames / 257).max() <= 0.51


def test_a_better_quality_is_larger(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (6, 64, 64, 3), dtype=np.uint8)
    for suffix in ("mp4", "webm"):
        sizes = []
        for crf in (10, 40):
            write_clip(tmp_path / f"a.{suffix}", Clip(noise, Fraction(12)), crf=crf)
            sizes.append((tmp_path / f"a.{suffix}").stat().st_size)
        assert sizes[0] > 1.5 * sizes[1]


def write_half(path: Path) -> None:
    with ClipWriter(path, 12) as writer:
        writer.write(moving_picture(8))
        raise RuntimeError("stop")


def test_an_exception_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    for suffix in FORMATS:
        path = tmp_path / f"a.{suffix}"
        write_clip(path, Clip(numbered_frames(3), Fraction(12)))
        before = path.read_bytes()
        with pytest.raises(RuntimeError, match="stop"):
            write_half(path)
        assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [f"a.{suffix}" for suffix in sorted(FORMATS)]


def test_a_kill_leaves_no_half_file_under_the_final_name(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from engines.media.writer import ClipWriter\n"
        "with ClipWriter(sys.argv[1], 24) as writer:\n"
        "    while True:\n"
        "        writer.write(np.random.randint(0, 255, (4, 64, 64, 3), dtype=np.uint8))\n"
        "        print('written', flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "a.mp4")], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(20):
        assert child.stdout.readline() == "written\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.mp4.part"]
    write_clip(tmp_path / "a.mp4", Clip(numbered_frames(4), Fraction(12)))  # the next attempt is not disturbed
    assert numbers_of(read_clip(tmp_path / "a.mp4").frames) == [0, 1, 2, 3]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_is_a_message_and_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (20, 64, 64, 3), dtype=np.uint8)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(ResourceError) as caught, ClipWriter(tmp_path / f"a.{suffix}", 24) as writer:
            writer.write(frames)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.fix == "Check that the folder is there and writable and the disk has space, then render again."
    assert list(tmp_path.iterdir()) == []


def test_no_space_left_is_named() -> None:
    with pytest.raises(ResourceError) as caught, disk_errors(Path("/somewhere/a.mp4")):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "No space left on device" in caught.value.message


def test_an_unwritable_folder_is_named_before_the_first_frame(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("not a folder")
    with pytest.raises(ResourceError) as caught:
        ClipWriter(tmp_path / "file.txt" / "sub" / "a.mp4", 24)
    assert caught.value.fix == "Choose another folder, or give this one the permission to write."
    assert str(tmp_path / "file.txt" / "sub") in caught.value.message


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as caught:
        ClipWriter(tmp_path / "a.xyz", 24)
    assert ".mp4 (MP4), .webm (WebM), .gif (GIF), .zip (PNG sequence)" in caught.value.fix
    with pytest.raises(MediaError) as caught:
        ClipWriter(tmp_path / "a.gif", 60)
    assert (caught.value.field, caught.value.fix) == ("fps", "Choose at most 50 frames per second, or MP4 or WebM.")
    with pytest.raises(MediaError) as caught, ClipWriter(tmp_path / "a.mp4", 24):
        pass
    assert (caught.value.field, caught.value.fix) == ("frames", "Ask for at least one frame.")
    with pytest.raises(ValueError, match=r"uint8 or uint16"), ClipWriter(tmp_path / "a.mp4", 24) as writer:
        writer.write(np.zeros((2, 8, 8, 3), np.float32))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_gif_keeps_its_colours_and_its_pace(tmp_path: Path) -> None:
    frames = moving_picture(24)
    write_clip(tmp_path / "a.gif", Clip(frames, Fraction(30)))
    clip = read_clip(tmp_path / "a.gif")
    assert clip.fps == 30
    assert np.abs(clip.frames.astype(int) - frames).mean() < 4


def test_a_zip_holds_plain_pictures(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.zip", Clip(numbered_frames(3), Fraction(24000, 1001)))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["fps.txt", "000000.png", "000001.png", "000002.png"]
        assert archive.read("fps.txt") == b"24000/1001\n"


def test_writing_streams(tmp_path: Path) -> None:
    """The file grows while frames come: nothing waits for the end in memory."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 128, 128, 3), dtype=np.uint8)
    with ClipWriter(tmp_path / "a.mp4", 24) as writer:
        for _ in range(3):
            writer.write(noise)
        began = time.monotonic()
        assert (tmp_path / "a.mp4.part").stat().st_size > 500_000
        assert time.monotonic() - began < 5
