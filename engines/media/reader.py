"""Any video, GIF, picture or picture sequence as a stream of frames at a constant rate, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from engines.errors import InvalidRequest
from engines.media.audio import audio_blocks, read_audio
from engines.media.clip import AudioTrack, Clip, Frames, Samples
from engines.media.decoding import PictureFrame, decode_pictures, decode_video
from engines.media.limits import Limits
from engines.media.pictures import PictureSequence, find_pictures
from engines.media.probe import MediaInfo, probe
from engines.media.timing import TimedFrame, constant_rate


class ClipReader:
    """Iterates over chunks of frames, uint8 or uint16 [t, H, W, 3] with t ≤ chunk_frames; may be iterated again.

    Frames are upright RGB, full range, BT.709 primaries, square pixels.

    Args:
        path: A video, GIF, picture, or pictures in a zip file or folder.
        start, end: Seconds since the start of the video; None is its end.
        size: (width, height) of the frames; None keeps the file's.
        fps: Of the frames; None takes the file's, or of a variable rate its most usual one.
        bit_depth: 8 gives uint8, 16 uint16 frames.
        chunk_frames: Frames per chunk.
        deinterlace: Whether frames that the file flags as interlaced are made into one moment.
        limits: Checked before decoding.
        field: Name of the request field that the file came in, for messages.

    Attributes:
        info: What `probe` says of the file.
        fps, width, height: Of the frames that come.

    Raises: MediaError, LimitExceeded as `probe`; InvalidRequest for a part that lies outside the video.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        start: float | Fraction = 0,
        end: float | Fraction | None = None,
        size: tuple[int, int] | None = None,
        fps: Fraction | int | None = None,
        bit_depth: int = 8,
        chunk_frames: int = 16,
        deinterlace: bool = False,
        limits: Limits | None = None,
        field: str | None = None,
    ) -> None:
        if bit_depth not in (8, 16) or chunk_frames < 1:
            raise ValueError(f"bit_depth {bit_depth} must be 8 or 16, chunk_frames {chunk_frames} at least 1")
        self.info: MediaInfo = probe(path, limits, field)
        self.fps = Fraction(fps) if fps is not None else self.info.fps
        self.width, self.height = size or (self.info.width, self.info.height)
        self._start = exact_seconds(start)
        self._end = None if end is None else exact_seconds(end)
        self._deinterlace = deinterlace
        self._bit_depth = bit_depth
        self._chunk_frames = chunk_frames
        self._limits = limits or Limits(None, None, None)
        self._field = field
        self._check_part()

    def __iter__(self) -> Iterator[Frames]:
        frames = constant_rate(self._timed(), self.fps, self._start, self._end)
        while chunk := list(islice(frames, self._chunk_frames)):
            yield cast(Frames, np.stack(chunk))

    def audio_blocks(self, sample_rate: int | None = None) -> Iterator[Samples]:
        """The sound of the same part, decoded as it is read: float32 [channels, samples]; nothing if there is none."""
        return audio_blocks(self.info, self._start, self._end, sample_rate, self._field)

    def audio(self, sample_rate: int | None = None) -> AudioTrack | None:
        """The sound of the same part in memory (0.4 MB per second of stereo), None if there is none."""
        return read_audio(self.info, self._start, self._end, sample_rate, self._field)

    def read(self) -> Clip:
        """Everything in memory, for clips that are known to be short."""
        return Clip(cast(Frames, np.concatenate(list(self))), self.fps, self.audio())

    def _timed(self) -> Iterator[TimedFrame]:
        pictures = find_pictures(self.info.path, self._limits, self._field)
        frames: Iterator[TimedFrame]
        if pictures is not None:
            frames = self._picture_frames(pictures)
        else:
            size = (self.width, self.height)
            frames = decode_video(
                self.info.path, self.info, self._start, size, self._bit_depth, self._field, self._deinterlace
            )
        for frame in frames:
            # A header may lie about the length.
            self._limits.check_duration(float(frame.time), self._field)
            yield frame

    def _picture_frames(self, pictures: PictureSequence) -> Iterator[TimedFrame]:
        for frame in decode_pictures(pictures):
            yield PictureFrame(self._fitted(frame.pixels()), frame.time, frame.duration)

    def _fitted(self, picture: Frames) -> Frames:
        """A picture in the wanted size and depth."""
        if (picture.shape[1], picture.shape[0]) != (self.width, self.height):
            smaller = self.width < picture.shape[1] or self.height < picture.shape[0]
            method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
            picture = cast(Frames, cv2.resize(picture, (self.width, self.height), interpolation=method))
        if self._bit_depth == 8 and picture.dtype == np.uint16:
            return ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)
        if self._bit_depth == 16 and picture.dtype == np.uint8:
            return picture.astype(np.uint16) * np.uint16(257)
        return picture

    def _check_part(self) -> None:
        allowed = f"Choose a time between 0 and {self.info.duration_seconds:.2f} seconds."
        if not 0 <= self._start < max(self.info.duration_seconds, 1e-6):
            raise InvalidRequest(
                f"The part begins at {float(self._start):g} s; the clip lasts {self.info.duration_seconds:.2f} s.",
                allowed,
                self._field,
            )
        if self._end is not None and self._end <= self._start:
            raise InvalidRequest(
                f"The part ends at {float(self._end):g} s, not after its start at {float(self._start):g} s.",
                allowed,
                self._field,
            )


def exact_seconds(seconds: float | Fraction) -> Fraction:
    """A time as a fraction; what somebody wrote with decimals is taken as these decimals."""
    return seconds if isinstance(seconds, Fraction) else Fraction(seconds).limit_denominator(1_000_000)


def read_clip(path: Path | str, limits: Limits | None = None, field: str | None = None) -> Clip:
    """A short file whole. Raises as ClipReader."""
    return ClipReader(path, limits=limits, field=field).read()
