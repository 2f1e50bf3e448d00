"""A video's frames one after the other: seek, decode forward, convert colours, resize, turn upright."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from engines.media.clip import Frames
from engines.media.colour import to_rgb
from engines.media.container import open_input
from engines.media.deinterlacing import deinterlaced
from engines.media.pictures import PictureSequence
from engines.media.probe import MediaInfo, video_stream

# How far before the wanted time to seek, in seconds: where the key frame found lies behind it, once more from further.
_SEEK_MARGINS = (Fraction(0), Fraction(2), Fraction(20))


class DecodedFrame:
    """One frame of a video; converted when its pixels are first asked for.

    Attributes:
        time: Seconds since the start of the file's video.
        duration: Seconds that it stays; 0 if the file does not say.
    """

    def __init__(
        self, frame: av.VideoFrame, time: Fraction, duration: Fraction, size: tuple[int, int], bit_depth: int,
        reformatter: VideoReformatter,
    ) -> None:  # fmt: skip
        self.time = time
        self.duration = duration
        self._frame = frame
        self._size = size
        self._bit_depth = bit_depth
        self._reformatter = reformatter
        self._pixels: Frames | None = None

    def pixels(self) -> Frames:
        """uint8 or uint16 [H, W, 3], upright."""
        if self._pixels is None:
            turns = round(self._frame.rotation / 90) % 4
            width, height = self._size if turns % 2 == 0 else self._size[::-1]
            rgb = to_rgb(self._frame, width, height, self._bit_depth, self._reformatter)
            self._pixels = cast(Frames, np.ascontiguousarray(np.rot90(rgb.to_ndarray(), k=turns)))
        return self._pixels


class PictureFrame:
    """One picture of a sequence. Attributes as of DecodedFrame."""

    def __init__(self, picture: Frames, time: Fraction, duration: Fraction) -> None:
        self.time = time
        self.duration = duration
        self._picture = picture

    def pixels(self) -> Frames:
        return self._picture


def decode_pictures(pictures: PictureSequence) -> Iterator[PictureFrame]:
    """A sequence's pictures with their times, each 1 / fps long."""
    for index, picture in enumerate(pictures.frames()):
        yield PictureFrame(picture, index / pictures.fps, 1 / pictures.fps)


def decode_video(
    path: Path, info: MediaInfo, start: Fraction, size: tuple[int, int], bit_depth: int, field: str | None,
    deinterlace: bool = False,
) -> Iterator[DecodedFrame]:  # fmt: skip
    """The frames from the one shown at `start` on, in the order of their times.

    Args:
        path, info: The file and what `probe` said of it.
        start: Seconds since the start of the file's video.
        size: (width, height) of the upright result.
        bit_depth: 8 or 16 bits per colour.
        field: For messages.
        deinterlace: Whether frames that are flagged interlaced are made into one moment.

    Raises: MediaError where the file turns out to be damaged.
    """
    with open_input(path, field) as container:
        stream = video_stream(container, path, field)
        # One decoding thread: frame threads hold a frame each, and the machine has better uses for its cores.
        stream.thread_type = "SLICE"
        reformatter = VideoReformatter()
        earlier: DecodedFrame | None = None
        decoded = _from(container, stream, info, start)
        for index, frame in enumerate(deinterlaced(decoded, stream) if deinterlace else decoded):
            # The frame's own: a filter may count in other units than the file.
            tick = Fraction(frame.time_base or stream.time_base or Fraction(1, 1000))
            time = frame.pts * tick - info.start_time if frame.pts is not None else index / info.fps
            # An MP4's last frame may claim the span of the longest step; the track's length knows better.
            rest = max(Fraction(info.duration_seconds).limit_denominator(1_000_000) - time, 1 / info.fps)
            stays = min((frame.duration or 0) * tick, rest)
            current = DecodedFrame(frame, time, stays, size, bit_depth, reformatter)
            if time > start:
                # Only now is it sure that the one before is what stands at `start`.
                if earlier is not None:
                    yield earlier
                    earlier = None
                yield current
            else:
                earlier = current
        if earlier is not None:
            yield earlier


def _from(container: InputContainer, stream: VideoStream, info: MediaInfo, start: Fraction) -> Iterator[av.VideoFrame]:
    """Frames from a key frame on that does not lie behind `start`."""
    tick = Fraction(stream.time_base or Fraction(1, 1000))
    if start > 0:
        for margin in (*_SEEK_MARGINS, start):
            target = max(start - margin, Fraction(0)) + info.start_time
            container.seek(int(target / tick), stream=stream, backward=True)
            frames = container.decode(stream)
            first = next(frames, None)
            if first is not None and first.pts is not None and first.pts * tick - info.start_time <= start:
                yield first
                yield from frames
                return
        container.seek(int(info.start_time / tick), stream=stream, backward=True)
    yield from container.decode(stream)
