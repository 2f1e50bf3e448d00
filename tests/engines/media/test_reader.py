from __future__ import annotations

import io
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from PIL import Image

from engines.errors import InvalidRequest
from engines.media.probe import probe
from engines.media.reader import ClipReader, read_clip
from tests.engines.media.synthesis import (
    click_time,
    moving_picture,
    numbered_frames,
    numbers_of,
    write_video,
)


def read(reader: ClipReader) -> np.ndarray:
    return np.concatenate(list(reader))


def test_a_constant_rate_passes_frame_by_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", numbered_frames(20), fps=Fraction(24000, 1001))
    reader = ClipReader(path, chunk_frames=7)
    assert [len(chunk) for chunk in reader] == [7, 7, 6]
    assert numbers_of(read(reader)) == list(range(20))
    assert reader.fps == Fraction(24000, 1001)
    assert not reader.info.variable_frame_rate


def test_webm_with_its_millisecond_clock_is_still_constant(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.webm", numbered_frames(20), fps=24, codec="libvpx-vp9")
    clip = read_clip(path)
    assert (clip.fps, numbers_of(clip.frames)) == (24, list(range(20)))


def test_variable_rate_is_seen_and_made_constant(tmp_path: Path) -> None:
    # Frame 3 stands for half a second, the others for 1/10.
    times = [Fraction(t, 10) for t in (0, 1, 2, 3, 8, 9, 10, 11)]
    path = write_video(tmp_path / "a.mp4", numbered_frames(8), fps=10, times=times)
    info = probe(path)
    assert info.variable_frame_rate
    assert info.fps == 10
    assert numbers_of(read(ClipReader(path))) == [0, 1, 2, 3, 3, 3, 3, 3, 4, 5, 6, 7]
    assert numbers_of(read(ClipReader(path, fps=5)))[:6] == [0, 2, 3, 3, 4, 6]


def test_another_rate_keeps_the_length(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", numbered_frames(12), fps=24)
    assert numbers_of(read(ClipReader(path, fps=48))) == [n for n in range(12) for _ in range(2)]
    assert len(read(ClipReader(path, fps=12))) == 6


@pytest.mark.parametrize("suffix", ["mp4", "webm", "mkv"])
def test_a_part_begins_at_its_frame_and_not_at_the_key_frame(tmp_path: Path, suffix: str) -> None:
    codec = "libvpx-vp9" if suffix == "webm" else "libx264"
    path = write_video(tmp_path / f"a.{suffix}", numbered_frames(24), fps=24, codec=codec, key_frame_every=10)
    for first in (0, 5, 11, 19, 23):
        part = read(ClipReader(path, start=Fraction(first, 24), end=Fraction(first + 3, 24)))
        assert numbers_of(part) == list(range(first, min(first + 3, 24))), first


def test_a_part_outside_the_clip_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", numbered_frames(24))
    with pytest.raises(InvalidRequest) as caught:
        ClipReader(path, start=3, field="source")
    assert caught.value.fix == "Choose a time between 0 and 1.00 seconds."
    assert caught.value.field == "source"
    with pytest.raises(InvalidRequest) as caught:
        ClipReader(path, start=0.5, end=0.5)
    assert "between 0 and 1.00" in caught.value.fix


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotation_is_undone(tmp_path: Path, rotation: int) -> None:
    upright = np.zeros((6, 48, 64, 3), np.uint8)
    upright[:, :16, :16] = (255, 255, 255)  # top left corner
    stored = np.rot90(upright, k=-(rotation // 90), axes=(1, 2))
    path = write_video(tmp_path / "a.mp4", np.ascontiguousarray(stored), rotation=rotation)
    info = probe(path)
    assert (info.width, info.height) == (64, 48)
    assert abs(info.rotation) == abs(rotation)
    frames = read(ClipReader(path))
    assert frames.shape == upright.shape
    assert np.abs(frames[:, 4:12, 4:12].astype(int) - 255).max() < 6
    assert frames[:, 24:].max() < 6
    assert frames[:, :, 24:].max() < 6
    smaller = read(ClipReader(path, size=(32, 24)))
    assert smaller.shape == (6, 24, 32, 3)
    assert smaller[:, 2:6, 2:6].min() > 245


FLAT = [(200, 60, 30), (20, 180, 90), (40, 50, 210), (128, 128, 128), (250, 250, 250), (5, 5, 5)]


@pytest.mark.parametrize(
    ("colour", "matrix", "colour_range"),
    [
        ((1, 1, 1), "bt709", "limited"),
        ((5, 1, 6), "smpte170m", "limited"),
        ((1, 2, 1), "bt709", "full"),
        ((5, 2, 6), "smpte170m", "full"),
        ((0, 1, 2), "unspecified", "unspecified"),  # small and untagged means BT.601, limited
    ],
)
def test_matrix_and_range_are_converted(
    tmp_path: Path, colour: tuple[int, int, int], matrix: str, colour_range: str
) -> None:
    for flat in FLAT:
        frames = np.broadcast_to(np.array(flat, np.uint8), (2, 32, 32, 3)).copy()
        path = write_video(tmp_path / "a.mp4", frames, colour=colour, pixel_format="yuv444p")
        tags = probe(path).colour
        assert (tags.matrix, tags.range) == (matrix, colour_range)
        assert np.abs(read(ClipReader(path)).astype(int) - frames).max() <= 2, flat


def test_ten_bits_survive_as_sixteen(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.linspace(0, 255, 256).astype(np.uint8)[None, None, :, None], (2, 32, 256, 3)).copy()
    path = write_video(tmp_path / "a.mkv", ramp, codec="ffv1", pixel_format="yuv444p10le")
    assert probe(path).bit_depth == 10
    frames = read(ClipReader(path, bit_depth=16))
    assert frames.dtype == np.uint16
    assert np.abs(frames.astype(int) / 257 - ramp).max() < 1.5


def test_non_square_pixels_are_made_square(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 48, 64, "yuv420p"
        stream.sample_aspect_ratio = Fraction(2)
        container.mux(stream.encode(av.VideoFrame(48, 64, "yuv420p")))
        container.mux(stream.encode(None))
    assert read(ClipReader(path)).shape == (1, 64, 96, 3)


def test_sound_stays_with_its_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", moving_picture(48), click_at=1.25)
    reader = ClipReader(path)
    track = reader.audio()
    assert track is not None
    assert (track.sample_rate, track.samples.shape[0], track.samples.dtype) == (48_000, 2, np.float32)
    assert click_time(track.samples, 48_000) == pytest.approx(1.25, abs=0.003)
    part = ClipReader(path, start=0.75, end=1.75).audio(sample_rate=16_000)
    assert part is not None
    assert part.seconds == pytest.approx(1.0, abs=0.001)
    assert click_time(part.samples, 16_000) == pytest.approx(0.5, abs=0.003)
    blocks = list(reader.audio_blocks())
    assert len(blocks) > 10
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), track.samples)


def test_no_sound_is_none(tmp_path: Path) -> None:
    reader = ClipReader(write_video(tmp_path / "a.mp4", moving_picture(4)))
    assert reader.audio() is None
    assert list(reader.audio_blocks()) == []


def test_a_picture_is_one_upright_frame_on_white(tmp_path: Path) -> None:
    lying = np.zeros((40, 60, 3), np.uint8)
    lying[:, :10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by 90 degrees to look at it
    Image.fromarray(lying).save(tmp_path / "a.jpg", exif=exif, quality=95)
    reader = ClipReader(tmp_path / "a.jpg")
    assert (reader.width, reader.height, reader.info.kind) == (40, 60, "picture")
    frame = read(reader)[0]
    assert frame[:8].min() > 240
    assert frame[12:].max() < 15

    clear = np.zeros((8, 8, 4), np.uint8)
    clear[:4] = (200, 0, 0, 255)
    Image.fromarray(clear).save(tmp_path / "a.png")
    frame = read_clip(tmp_path / "a.png").frames[0]
    assert frame[0, 0].tolist() == [200, 0, 0]
    assert frame[7, 7].tolist() == [255, 255, 255]


def test_pictures_in_a_folder_and_a_zip_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    frames = numbered_frames(12)
    with zipfile.ZipFile(tmp_path / "shots.zip", "w") as archive:
        archive.writestr("fps.txt", "12")
        archive.writestr("__MACOSX/frame1.png", b"a shadow, not a picture")
        for index in reversed(range(12)):
            Image.fromarray(frames[index]).save(folder / f"frame{index}.png")
            content = io.BytesIO()
            Image.fromarray(frames[index]).save(content, "PNG")
            archive.writestr(f"shots/frame{index}.png", content.getvalue())
    assert numbers_of(read_clip(folder).frames) == list(range(12))
    assert read_clip(folder).fps == 24
    clip = read_clip(tmp_path / "shots.zip")
    assert (clip.fps, numbers_of(clip.frames)) == (12, list(range(12)))
    part = ClipReader(tmp_path / "shots.zip", start=0.5, size=(32, 24))
    assert numbers_of(read(part)) == [6, 7, 8, 9, 10, 11]


def test_a_long_video_streams_in_constant_memory(tmp_path: Path) -> None:
    still = np.full((1, 360, 640, 3), 90, np.uint8)
    path = write_video(tmp_path / "a.mp4", np.broadcast_to(still, (2000, 360, 640, 3)), key_frame_every=250)
    reader = ClipReader(path, chunk_frames=8)
    process, grown, count = psutil.Process(), 0, 0
    before = None
    for chunk in reader:
        count += len(chunk)
        # What the decoder itself needs is there after the first frames; all of them would be 1.4 GB.
        before = before or process.memory_info().rss
        grown = max(grown, process.memory_info().rss - before)
    assert count == 2000
    assert grown < 60 * 1024**2
