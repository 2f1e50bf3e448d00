"""One frame after the other into a video codec, GIF or PNG."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.filter import Graph
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from engines.media.audio_encoding import AudioFeed, AudioSource, open_feed
from engines.media.clip import AudioTrack
from engines.media.colour import from_rgb, tag_bt709
from engines.media.formats import VideoFormat
from engines.media.metadata import KEY
from engines.media.pictures import FPS_FILE

Picture: TypeAlias = npt.NDArray[Any]  # uint8 or uint16 [H, W, 3]

# fflags +bitexact: no date, no random ids. A CRC would no longer fit once the digest is stamped (stamp.py).
_CONTAINER_OPTIONS = {
    "mp4": {"movflags": "+faststart+use_metadata_tags", "fflags": "+bitexact"},
    "mov": {"movflags": "+faststart+use_metadata_tags", "fflags": "+bitexact"},
    "webm": {"fflags": "+bitexact", "write_crc32": "0"},
}


class Encoder(Protocol):
    """What ClipWriter needs of a format."""

    def write(self, frame: Picture) -> None:
        """Appends one frame uint8 or uint16 [H, W, 3]."""

    def close(self) -> None:
        """Completes the file."""

    def abandon(self) -> None:
        """Lets go of an unfinished file."""


class ContainerEncoder:
    """MP4, WebM or QuickTime: BT.709, limited range, all four colour tags written.

    Args:
        part: File to write.
        how: Codec and container.
        size: (width, height) of the frames; most codecs get odd ones padded by one row or column.
        fps: Frames per second.
        audio: Sound to write along.
        record: Text for the tag `framewright`, or None.

    Attributes:
        size: (width, height) as written.
    """

    def __init__(
        self, part: Path, how: VideoFormat, size: tuple[int, int], fps: Fraction,
        audio: AudioTrack | AudioSource | None, record: str | None,
    ) -> None:  # fmt: skip
        self.size = (size[0] + size[0] % 2, size[1] + size[1] % 2) if how.needs_even_sides else size
        self._fps = fps
        self._count = 0
        self._reformatter = VideoReformatter()
        self._feed: AudioFeed | None = None
        self._pixel_format = how.pixel_format
        self._container = open_output(part, how.container)
        try:
            if record is not None:
                self._container.metadata[KEY] = record
            stream = self._container.add_stream(how.codec, rate=fps, options=dict(how.options))
            self._stream = cast(VideoStream, stream)
            self._stream.width, self._stream.height = self.size
            self._stream.pix_fmt = how.pixel_format
            if how.tag:
                self._stream.codec_context.codec_tag = how.tag
            tag_bt709(self._stream.codec_context)
            self._feed = open_feed(self._container, how.container, audio)
        except BaseException:
            self.abandon()
            raise

    def write(self, frame: Picture) -> None:
        height, width = frame.shape[:2]
        if (width, height) != self.size:
            frame = np.pad(frame, ((0, self.size[1] - height), (0, self.size[0] - width), (0, 0)), "edge")
        picture = from_rgb(_rgb_frame(frame), self._reformatter, self._pixel_format)
        picture.pts, picture.time_base = self._count, 1 / self._fps
        self._container.mux(self._stream.encode(picture))
        self._count += 1
        if self._feed is not None:
            self._feed.advance(self._count / self._fps)

    def close(self) -> None:
        try:
            if self._feed is not None:
                self._feed.finish(self._count / self._fps)
            self._container.mux(self._stream.encode(None))
            self._container.close()
        finally:
            self.abandon()

    def abandon(self) -> None:
        if self._feed is not None:
            self._feed.close()
        # The file is about to be removed; that its trailer cannot be written is no news.
        with suppress(av.error.FFmpegError, OSError):
            self._container.close()


def open_output(part: Path, container: str) -> OutputContainer:
    """A file to be written, without date or random id."""
    return av.open(str(part), "w", format=container, options=_CONTAINER_OPTIONS[container])


class GifEncoder:
    """GIF with a palette of its own for every frame (FFmpeg palettegen, paletteuse), Sierra dithering."""

    def __init__(self, part: Path, size: tuple[int, int], fps: Fraction) -> None:
        self._fps = fps
        self._count = 0
        self._container = av.open(str(part), "w", format="gif", options={"loop": "0"})
        self._stream = self._container.add_stream("gif", rate=fps)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "pal8"
        self._stream.codec_context.time_base = Fraction(1, 100)
        self._graph = _palette_graph(size)

    def write(self, frame: Picture) -> None:
        if frame.dtype == np.uint16:
            frame = ((frame.astype(np.uint32) + 128) // 257).astype(np.uint8)
        picture = _rgb_frame(frame)
        picture.pts, picture.time_base = self._count, 1 / self._fps
        self._graph.push(picture)
        paletted = self._graph.vpull()
        paletted.pts, paletted.time_base = round(self._count * 100 / self._fps), Fraction(1, 100)
        self._container.mux(self._stream.encode(paletted))
        self._count += 1

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        with suppress(av.error.FFmpegError, OSError):
            self._container.close()


class PictureEncoder:
    """PNG pictures 000000.png, 000001.png, … and fps.txt in a zip file; uint16 frames become 16-bit PNG."""

    def __init__(self, part: Path, fps: Fraction) -> None:
        self._count = 0
        self._archive = zipfile.ZipFile(part, "w", zipfile.ZIP_STORED)
        self._add(FPS_FILE, f"{fps.numerator}/{fps.denominator}\n".encode())

    def write(self, frame: Picture) -> None:
        done, encoded = cv2.imencode(".png", np.ascontiguousarray(frame[..., ::-1]))
        if not done:
            raise RuntimeError(f"OpenCV could not encode a picture {frame.dtype} {frame.shape}")
        self._add(f"{self._count:06d}.png", encoded.tobytes())
        self._count += 1

    def close(self) -> None:
        self._archive.close()

    def abandon(self) -> None:
        with suppress(OSError):
            self._archive.close()

    def _add(self, name: str, content: bytes) -> None:
        # A ZipInfo of our own has the date 1980-01-01: equal frames, equal bytes.
        self._archive.writestr(zipfile.ZipInfo(name), content)


def _rgb_frame(frame: Picture) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(frame, "rgb24" if frame.dtype == np.uint8 else "rgb48le")


def _palette_graph(size: tuple[int, int]) -> Graph:
    graph = Graph()
    source = graph.add("buffer", f"video_size={size[0]}x{size[1]}:pix_fmt=rgb24:time_base=1/100:pixel_aspect=1/1")
    split, make = graph.add("split"), graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
    use, sink = graph.add("paletteuse", "new=1:dither=sierra2_4a"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(make, 0, 0)
    split.link_to(use, 1, 0)
    make.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    return graph
