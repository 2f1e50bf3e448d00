"""Frames pulled out of the last stage into a file, chunk by chunk; after a restart on with the first missing chunk."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engines.context import RunContext
from engines.footage.alignment import eight_bit
from engines.footage.footage import Footage, Frame
from engines.footage.segments import Segment, Segments
from engines.footage.video import VideoFootage
from engines.media.audio_encoding import AudioSource
from engines.media.clip import AudioTrack
from engines.media.contact_sheet import save_picture, thumbnail
from engines.media.formats import VideoFormat
from engines.media.joining import join_segments
from engines.media.metadata import OutputRecord
from engines.media.writer import ClipWriter
from engines.task import OutputFile

# Frames of the result between two points at which a killed job goes on.
CHUNK_FRAMES = 48
# Seconds of work between two reports with a picture.
PREVIEW_SECONDS = 1.0
PREVIEW_WIDTH = 480


@dataclass(frozen=True)
class Output:
    """What is written where.

    Attributes:
        path: Of the result.
        how: Codec and container; None writes pictures, by the path's suffix (GIF, PNG in a zip file).
        audio: Sound from the first frame on.
        record: What made the file, without its digest; None writes none.
        plan: Plain data that decides every frame; finished chunks of another plan are not used.
        chunk_frames: Frames between two points at which a killed job goes on.
    """

    path: Path
    how: VideoFormat | None
    audio: AudioTrack | AudioSource | None
    record: OutputRecord | None
    plan: Mapping[str, Any]
    chunk_frames: int = CHUNK_FRAMES


@dataclass(frozen=True)
class Rendered:
    """What came of it.

    Attributes:
        files: The video, and its still.
        warnings: Sentences about what the format could not keep.
        chunks, chunks_kept: How many there are, and how many an earlier run had finished.
        seconds_per_frame: Of the frames that this run made; 0 if there was none.
    """

    files: list[OutputFile]
    warnings: list[str]
    chunks: int
    chunks_kept: int
    seconds_per_frame: float


def render_footage(footage: Footage, output: Output, context: RunContext) -> Rendered:
    """Renders all frames.

    The record's digest is over the digests of the chunks, whose borders the request decides: so a job that was
    interrupted ten times says the same as one that was not.

    Raises: UserError; Cancelled at any frame; Paused at a chunk's border.
    """
    suffix = ".zip" if output.how is None else output.how.suffix
    encoding = None if output.how is None else [output.how.codec, output.how.pixel_format, dict(output.how.options)]
    plan = {**output.plan, "size": [footage.width, footage.height], "frames": footage.count,
            "fps": str(footage.fps), "encoding": encoding, "chunk_frames": output.chunk_frames}  # fmt: skip
    segments = Segments(context.work_folder, plan, suffix)
    still = output.path.with_name(f"{output.path.stem}_thumbnail.webp")
    files = [OutputFile(path=output.path, kind="video"), OutputFile(path=still, kind="thumbnail")]
    borders = range(0, footage.count, output.chunk_frames)
    parts = [range(first, min(first + output.chunk_frames, footage.count)) for first in borders]
    if segments.are_joined and all(file.path.is_file() for file in files):
        return Rendered(files, [], len(parts), len(parts), 0.0)
    done = [segments.finished(number) for number in range(len(parts))]
    kept, began, made = sum(one is not None for one in done), time.perf_counter(), 0
    pulse = _Pulse(context, footage.count, len(parts))
    warnings: list[str] = []
    for number, part in enumerate(parts):
        if done[number] is None:
            done[number], warnings = _render_part(footage, part, number, segments, output, pulse)
            made += len(part)
            context.at_chunk_border()
    seconds = (time.perf_counter() - began) / made if made else 0.0
    finished = [one for one in done if one is not None]
    context.step("joining", 0, 1)
    warnings += _join(finished, output, footage)
    _write_still(finished, still)
    segments.finish_all()
    context.step("joining", 1, 1)
    return Rendered(files, warnings, len(parts), kept, seconds)


class _Pulse:
    """Reports every frame, with a picture now and then."""

    def __init__(self, context: RunContext, frames: int, chunks: int) -> None:
        self._context, self._frames, self._chunks = context, frames, chunks
        self._shown_at = 0.0

    def frame(self, number: int, frame: Frame, chunk: int) -> None:
        now, preview = time.perf_counter(), None
        if now - self._shown_at > PREVIEW_SECONDS:
            self._shown_at, preview = now, _preview(frame)
        message = f"Chunk {chunk + 1} of {self._chunks}." if self._chunks > 1 else ""
        self._context.step("rendering", number + 1, self._frames, preview, message)


def _render_part(
    footage: Footage, part: range, number: int, segments: Segments, output: Output, pulse: _Pulse
) -> tuple[Segment, list[str]]:
    with ClipWriter(segments.path(number), footage.fps, how=output.how) as writer:
        for index, frame in zip(part, footage.frames(part), strict=True):
            writer.write(frame)
            pulse.frame(index, frame, number)
    return segments.finish(number, len(part), writer.frames_sha256), list(writer.warnings)


def _join(finished: list[Segment], output: Output, footage: Footage) -> list[str]:
    record = None
    if output.record is not None:
        digest = hashlib.sha256("".join(one.digest for one in finished).encode()).hexdigest()
        record = output.record.model_copy(update={"frames_sha256": digest})
    if output.how is not None:
        parts = [(one.path, one.frames) for one in finished]
        join_segments(parts, output.path, output.how, footage.fps, audio=output.audio, record=record)
        return []
    with ClipWriter(output.path, footage.fps, audio=output.audio, metadata=record) as writer:
        for one in finished:
            for frame in VideoFootage(one.path).frames(range(one.frames)):
                writer.write(frame)
    return list(writer.warnings)


def _write_still(finished: list[Segment], path: Path) -> None:
    """The first frame of the chunk in the middle, small."""
    middle = VideoFootage(finished[len(finished) // 2].path)
    save_picture(path, thumbnail(eight_bit(next(middle.frames(range(1))))[None]))


def _preview(frame: Frame) -> Any:
    """uint8 [1, H, W, 3], no wider than the stage shows it."""
    small = eight_bit(frame)
    if small.shape[1] > PREVIEW_WIDTH:
        size = (PREVIEW_WIDTH, round(small.shape[0] * PREVIEW_WIDTH / small.shape[1]))
        small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small[None]
