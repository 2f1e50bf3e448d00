"""Files that are not what they seem: each must become a message that names the field and says what to do."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from engines.errors import LimitExceeded, MediaError
from engines.media.limits import Limits
from engines.media.probe import probe
from engines.media.reader import ClipReader
from tests.engines.media.synthesis import moving_picture, write_video


def refused(path: Path) -> MediaError:
    with pytest.raises(MediaError) as caught:
        probe(path, field="source_video")
    assert caught.value.field == "source_video"
    assert caught.value.message.startswith(f"source_video: “{path.name}”")
    return caught.value


def test_missing(tmp_path: Path) -> None:
    error = refused(tmp_path / "none.mp4")
    assert error.message == "source_video: “none.mp4” does not exist."
    assert error.fix == "Choose a file that exists."


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    error = refused(tmp_path / "a.mp4")
    assert "is empty (0 bytes)" in error.message
    assert error.fix == "Upload or save it again; the copy did not finish."


def test_text_named_mp4(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("This is a text, not a film.\n" * 50)
    error = refused(tmp_path / "a.mp4")
    assert "damaged, incomplete or something else" in error.message
    assert error.fix.startswith("Choose a whole file in MP4, MOV, WebM")


@pytest.mark.parametrize("options", [{}, {"movflags": "+faststart"}], ids=["index last", "index first"])
def test_truncated_mp4(tmp_path: Path, options: dict[str, str]) -> None:
    whole = write_video(tmp_path / "whole.mp4", moving_picture(60), options=options)
    content = whole.read_bytes()
    for share in (0.1, 0.5, 0.95):
        (tmp_path / "a.mp4").write_bytes(content[: int(len(content) * share)])
        assert "if it was copied or downloaded, do that again" in refused(tmp_path / "a.mp4").fix


@pytest.mark.parametrize("with_sound", [False, True])
def test_video_without_frames(tmp_path: Path, with_sound: bool) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if with_sound:
            add_silence(container)
        else:
            container.start_encoding()
    error = refused(path)
    assert "without a single frame" in error.message
    assert error.fix.startswith("Choose a video with at least one frame")


def add_silence(container: av.container.OutputContainer) -> None:
    stream = container.add_stream("aac", rate=48_000, layout="mono")
    block = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.float32), "fltp", "mono")
    block.sample_rate = 48_000
    container.mux(stream.encode(block))
    container.mux(stream.encode(None))


def test_sound_without_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        add_silence(container)
    error = refused(path)
    assert "has no video, only audio" in error.message
    assert error.fix.startswith("Choose a file with a video stream")


def test_a_playlist_cannot_make_us_open_other_files(tmp_path: Path) -> None:
    secret = write_video(tmp_path / "secret.mp4", moving_picture(3))
    (tmp_path / "a.mp4").write_text(f"ffconcat version 1.0\nfile '{secret.name}'\n")
    refused(tmp_path / "a.mp4")
    (tmp_path / "b.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n")
    refused(tmp_path / "b.m3u8")


@pytest.mark.parametrize("suffix", ["webm", "mkv"])
def test_truncated_matroska(tmp_path: Path, suffix: str) -> None:
    codec = "libvpx-vp9" if suffix == "webm" else "libx264"
    whole = write_video(tmp_path / f"whole.{suffix}", moving_picture(40), codec=codec)
    probe(whole)
    content = whole.read_bytes()
    (tmp_path / f"a.{suffix}").write_bytes(content[: len(content) * 2 // 3])
    assert "if it was copied or downloaded, do that again" in refused(tmp_path / f"a.{suffix}").fix


def test_a_recording_that_does_not_know_its_length_is_read(tmp_path: Path) -> None:
    """A browser's recorder writes no duration and no segment size; that is not damage."""
    path = write_video(tmp_path / "a.webm", moving_picture(30), codec="libvpx-vp9", options={"live": "1"})
    info = probe(path, Limits(duration_seconds=2.0))
    assert info.duration_seconds == pytest.approx(30 / 24, abs=0.05)
    assert len(ClipReader(path).read().frames) == 30
    with pytest.raises(LimitExceeded):
        probe(path, Limits(duration_seconds=1.0))


def test_damage_in_the_middle_is_reported_while_reading(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.webm", moving_picture(40), codec="libvpx-vp9")
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packet = list(container.demux(video=0))[20]
        assert packet.pos is not None
        # A block's own header (track, time, flags) comes before the frame's bytes.
        begin = content.index(bytes(packet), packet.pos)
        content[begin : begin + packet.size] = bytes(packet.size)
    path.write_bytes(content)
    with pytest.raises(MediaError) as caught:
        for _ in ClipReader(path, field="source_video"):
            pass
    assert caught.value.field == "source_video"
    assert "if it was copied or downloaded, do that again" in caught.value.fix


def test_damaged_picture_and_zip(tmp_path: Path) -> None:
    content = io.BytesIO()
    Image.fromarray(moving_picture(1)[0]).save(content, "PNG")
    half = content.getvalue()[: len(content.getvalue()) // 2]
    (tmp_path / "a.png").write_bytes(half)
    with pytest.raises(MediaError) as caught:
        ClipReader(tmp_path / "a.png", field="image").read()
    assert (caught.value.field, caught.value.fix[:32]) == ("image", "Save it again as a whole picture")
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 nothing of use")
    assert refused(tmp_path / "a.zip").fix == "Make or copy it again."
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("notes.txt", "no pictures")
    assert "numbered in their order" in refused(tmp_path / "b.zip").fix


def test_pictures_of_different_sizes(tmp_path: Path) -> None:
    for index, width in enumerate((64, 48)):
        Image.fromarray(moving_picture(1, width=width)[0]).save(tmp_path / f"{index}.png")
    with pytest.raises(MediaError) as caught:
        ClipReader(tmp_path).read()
    assert "“1.png” has 48 × 48 pixels, the first one 64 × 48" in caught.value.message
    assert caught.value.fix == "Give all pictures of a sequence the same size."


def exceeded(path: Path, limits: Limits) -> LimitExceeded:
    with pytest.raises(LimitExceeded) as caught:
        probe(path, limits, field="source_video")
    assert caught.value.field == "source_video"
    return caught.value


def test_limits_name_the_value_and_what_is_allowed(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", moving_picture(48))
    probe(path, Limits(duration_seconds=2.0, pixels=64 * 48, bytes=path.stat().st_size))
    error = exceeded(path, Limits(duration_seconds=1.5))
    assert error.message == "The file for source_video lasts 2.0 seconds; at most 1.5 are allowed."
    assert error.fix == "Cut the clip shorter, and try again."
    error = exceeded(path, Limits(pixels=3071))
    assert "64 × 48 = 3,072 pixels; at most 3,071 are allowed" in error.message
    assert error.fix == "Make the picture smaller, and try again."
    error = exceeded(path, Limits(bytes=1000))
    assert "at most 0.0 MB are allowed" in error.message
    assert error.fix.startswith("Cut it shorter or save it with a lower quality")


def test_limits_hold_for_pictures_and_for_what_a_zip_unpacks_to(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((3000, 3000, 3), np.uint8)).save(tmp_path / "a.png")
    assert "3000 × 3000" in exceeded(tmp_path / "a.png", Limits(pixels=1_000_000)).message
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.bmp", b"BM" + bytes(5_000_000))
    assert (tmp_path / "a.zip").stat().st_size < 10_000
    assert "4.8 MB" in exceeded(tmp_path / "a.zip", Limits(bytes=1_000_000)).message


def test_a_header_that_lies_about_the_length_does_not_get_past_the_limit(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", moving_picture(96))
    content = path.read_bytes()
    # Matroska's Duration element: id 4489, size 88, an eight-byte float of milliseconds.
    position = content.index(b"\x44\x89\x88") + 3
    path.write_bytes(content[:position] + np.array(1000.0, ">f8").tobytes() + content[position + 8 :])
    limits = Limits(duration_seconds=2.0)
    assert probe(path, limits).duration_seconds == pytest.approx(1.0)
    with pytest.raises(LimitExceeded):
        for _ in ClipReader(path, limits=limits):
            pass
