"""A file as footage: frames by number, read from a seek on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from engines.errors import MediaError
from engines.footage.footage import Frame
from engines.media.audio_encoding import AudioSource
from engines.media.limits import Limits
from engines.media.reader import ClipReader, exact_seconds

# Frames are read a few at a time: 8 of 1080p are 50 MB.
CHUNK_FRAMES = 4
# A header may promise a little more than the file holds; the last frame then stands until the end.
MOST_MISSING_SECONDS = 1.0


class VideoFootage:
    """See Footage.

    Args:
        path: A video, GIF, picture, or pictures in a zip file or folder.
        start, end: Seconds since the start of the video; None is its end.
        deinterlace: Whether frames that the file flags as interlaced are made into one moment.
        limits: Checked before decoding.
        field: Name of the request field that the file came in, for messages.

    Attributes:
        info: What `probe` says of the file.

    Raises: as ClipReader.
    """

    def __init__(
        self,
        path: Path,
        start: float = 0.0,
        end: float | None = None,
        *,
        deinterlace: bool = False,
        limits: Limits | None = None,
        field: str | None = None,
    ) -> None:
        self._path, self._field, self._deinterlace = path, field, deinterlace
        self._start, self._end = exact_seconds(start), None if end is None else exact_seconds(end)
        reader = ClipReader(path, start=start, end=end, limits=limits, field=field)
        self.info = reader.info
        self.height, self.width, self.fps = reader.height, reader.width, reader.fps
        self._bit_depth = 16 if self.info.bit_depth > 8 else 8
        last = Fraction(self.info.duration_seconds).limit_denominator(1_000_000)
        until = last if self._end is None else min(last, self._end)
        # The reader's rule: a frame is there if the middle of its span is.
        self.count = max(1, int((until - self._start) * self.fps + Fraction(1, 2)))

    def frames(self, wanted: range) -> Iterator[Frame]:
        if not wanted:
            return
        reader = ClipReader(
            self._path, start=self._start + wanted.start / self.fps, end=self._end, bit_depth=self._bit_depth,
            chunk_frames=CHUNK_FRAMES, deinterlace=self._deinterlace, field=self._field,
        )  # fmt: skip
        left, frame = len(wanted), None
        for chunk in reader:
            for frame in chunk[:left]:
                yield frame
            left -= min(left, len(chunk))
            if left == 0:
                return
        if frame is None or left > MOST_MISSING_SECONDS * self.fps:
            shown = float(self._start + (wanted.stop - left) / self.fps)
            raise MediaError(
                f"“{self._path.name}” ends at {shown:.1f} seconds, although its header says more.",
                f"Choose an out point of at most {shown:.1f} seconds, or save the video anew with another program.",
                self._field,
            )
        for _ in range(left):
            yield frame

    def audio(self, slower: Fraction = Fraction(1)) -> AudioSource | None:
        """The sound of the same part, None if there is none; `slower` times longer at its own pitch."""
        return AudioSource(self._path, self._start, self._end, slower) if self.info.audio is not None else None
