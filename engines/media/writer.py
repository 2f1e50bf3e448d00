"""Frames to a file, as a stream, whole or not at all.

The file grows as `NAME.part` and takes its name only when it is complete. Equal frames give equal bytes: the encoders
run with a fixed number of threads, and neither date nor random id is written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from engines.errors import MediaError
from engines.media.audio_encoding import AudioSource
from engines.media.clip import AudioTrack, Clip, Frames
from engines.media.digest import FramesDigest
from engines.media.encoding import ContainerEncoder, Encoder, GifEncoder, PictureEncoder
from engines.media.formats import VideoFormat, h264, vp9
from engines.media.metadata import OutputRecord, sidecar_of
from engines.media.stamp import PLACEHOLDER, replace_placeholder
from engines.media.target import check_target, disk_errors, part_of, write_atomically

DEFAULT_CRF = 18


class ClipWriter:
    """Writes frames to MP4, WebM, QuickTime, GIF or a zip of PNG pictures, by the path's suffix.

    A context manager: leaving it completes the file, an exception inside removes what was begun.

    Args:
        path: Of the finished file; its folder is made.
        fps: Frames per second.
        crf: Quality of MP4 and WebM: 0 is best and largest, 18 hardly visible loss, 51 worst.
        audio: A track in memory, or an AudioSource that is read along and copied where the format allows it.
        metadata: What made the clip (a mapping must have OutputRecord's fields); `frames_sha256` is filled in.
        how: Codec of a video whose suffix is its container's; None takes H.264 for MP4 and VP9 for WebM, with `crf`.

    Attributes:
        warnings: Sentences about what the format could not keep.
        frame_count: Frames written so far.

    Raises: MediaError, ResourceError as `check_target`; MediaError when left without a single frame.
    """

    def __init__(
        self,
        path: Path | str,
        fps: Fraction | int,
        *,
        crf: int = DEFAULT_CRF,
        audio: AudioTrack | AudioSource | None = None,
        metadata: OutputRecord | Mapping[str, Any] | None = None,
        how: VideoFormat | None = None,
    ) -> None:
        if not 0 <= crf <= 51:
            raise MediaError(f"crf = {crf} is not a quality.", "Choose crf between 0 (best) and 51.", "crf")
        self.path = Path(path)
        self.fps = Fraction(fps)
        check_target(self.path, self.fps)
        self.warnings: list[str] = []
        self.frame_count = 0
        self._how = how or _usual_format(self.path, crf)
        self._audio = audio
        self._record = None if metadata is None else OutputRecord.model_validate(metadata)
        self._digest = FramesDigest()
        self._encoder: Encoder | None = None
        self._size: tuple[int, int] | None = None

    def __enter__(self) -> ClipWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def write(self, frames: Frames) -> None:
        """Appends frames uint8 or uint16 [T, H, W, 3] (or one, [H, W, 3]), RGB, full range.

        Raises: ValueError for another type or shape, or a size unlike the first frames'; ResourceError for a full disk.
        """
        frames = frames[None] if frames.ndim == 3 else frames
        self._check_frames(frames)
        try:
            with disk_errors(self.path):
                if self._encoder is None:
                    self._encoder = self._open(frames.shape[2], frames.shape[1])
                self._digest.update(frames)
                for frame in frames:
                    self._encoder.write(np.ascontiguousarray(frame))
        except BaseException:
            self.discard()
            raise
        self.frame_count += len(frames)

    def close(self) -> None:
        """Completes the file and gives it its name."""
        if self._encoder is None:
            raise MediaError(f"“{self.path.name}” was given no frames.", "Ask for at least one frame.", "frames")
        encoder, self._encoder = self._encoder, None
        try:
            with disk_errors(self.path):
                encoder.close()
                self._put_in_place()
        finally:
            part_of(self.path).unlink(missing_ok=True)

    def discard(self) -> None:
        """Removes what was begun; a file that was there under the name before stays as it was."""
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            encoder.abandon()
        part_of(self.path).unlink(missing_ok=True)

    @property
    def frames_sha256(self) -> str:
        """Digest of the frames written so far (engines.media.digest)."""
        return self._digest.hexdigest()

    def _put_in_place(self) -> None:
        part = part_of(self.path)
        if self._record is not None and self._keeps_record:
            replace_placeholder(part, self.frames_sha256)
        elif self._record is not None:
            complete = self._record.model_copy(update={"frames_sha256": self.frames_sha256})
            write_atomically(sidecar_of(self.path), complete.as_json().encode())
        os.replace(part, self.path)

    @property
    def _keeps_record(self) -> bool:
        return self._how is not None

    def _open(self, width: int, height: int) -> Encoder:
        part, suffix = part_of(self.path), self.path.suffix.lower()
        if self._how is not None:
            record = None
            if self._record is not None:
                record = self._record.model_copy(update={"frames_sha256": PLACEHOLDER}).as_json()
            encoder = ContainerEncoder(part, self._how, (width, height), self.fps, self._audio, record)
            if encoder.size != (width, height):
                self.warnings.append(
                    f"This codec needs even sizes: {width} × {height} became {encoder.size[0]} × {encoder.size[1]} "
                    "by repeating the last row or column."
                )
            return encoder
        if self._audio is not None:
            kind = "A GIF" if suffix == ".gif" else "A picture sequence"
            self.warnings.append(f"{kind} holds no sound: it was left out. Choose MP4 or WebM to keep it.")
        return GifEncoder(part, (width, height), self.fps) if suffix == ".gif" else PictureEncoder(part, self.fps)

    def _check_frames(self, frames: Frames) -> None:
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype not in (np.uint8, np.uint16) or 0 in frames.shape:
            raise ValueError(f"frames must be uint8 or uint16 [T, H, W, 3], not {frames.dtype} {frames.shape}")
        size = (frames.shape[2], frames.shape[1])
        if self._size is not None and size != self._size:
            raise ValueError(f"frames of {size} follow frames of {self._size}")
        self._size = size


def _usual_format(path: Path, crf: int) -> VideoFormat | None:
    """What a suffix stands for; None for pictures."""
    usual = {".mp4": h264, ".webm": vp9}.get(path.suffix.lower())
    return None if usual is None else usual(crf)


def write_clip(
    path: Path | str, clip: Clip, *, crf: int = DEFAULT_CRF, metadata: OutputRecord | Mapping[str, Any] | None = None
) -> list[str]:
    """A clip that lies in memory. Returns: warnings. Raises as ClipWriter."""
    with ClipWriter(path, clip.fps, crf=crf, audio=clip.audio, metadata=metadata) as writer:
        writer.write(clip.frames)
    return writer.warnings
