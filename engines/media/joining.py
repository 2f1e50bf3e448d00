"""Closed segments of one clip, one behind the other in one file, packet by packet: nothing is encoded again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from av.container import OutputContainer
from av.video.stream import VideoStream

from engines.media.audio_encoding import AudioFeed, AudioSource, open_feed
from engines.media.clip import AudioTrack
from engines.media.container import open_input
from engines.media.encoding import open_output
from engines.media.formats import VideoFormat
from engines.media.metadata import KEY, OutputRecord
from engines.media.target import disk_errors, part_of


def join_segments(
    segments: Sequence[tuple[Path, int]],
    path: Path,
    how: VideoFormat,
    fps: Fraction,
    *,
    audio: AudioTrack | AudioSource | None = None,
    record: OutputRecord | None = None,
) -> None:
    """Writes `path`, whole or not at all.

    Args:
        segments: (file, number of its frames), in order; all written with `how`, at one size and rate.
        path: Of the finished file.
        how: Codec and container of the segments and of the file.
        fps: Frames per second.
        audio: Sound from the first frame on: a track in memory, or a file that is read along.
        record: What made the clip, complete.

    Raises: ResourceError for a full disk.
    """
    part = part_of(path)
    try:
        with disk_errors(path):
            _write(part, segments, how, fps, audio, record)
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _write(
    part: Path, segments: Sequence[tuple[Path, int]], how: VideoFormat, fps: Fraction,
    audio: AudioTrack | AudioSource | None,
    record: OutputRecord | None,
) -> None:  # fmt: skip
    container = open_output(part, how.container)
    feed: AudioFeed | None = None
    try:
        if record is not None:
            container.metadata[KEY] = record.as_json()
        with open_input(segments[0][0]) as first:
            stream = container.add_stream_from_template(first.streams.video[0], opaque=True)
            feed = open_feed(container, how.container, audio)
            begin = 0
            for segment, frames in segments:
                _append(container, stream, segment, begin / fps, feed)
                begin += frames
        if feed is not None:
            feed.finish(begin / fps)
        container.close()
    finally:
        if feed is not None:
            feed.close()
        container.close()


def _append(
    container: OutputContainer, stream: VideoStream, segment: Path, begin: Fraction, feed: AudioFeed | None
) -> None:
    """One segment's packets, its first frame shown at `begin` seconds."""
    with open_input(segment) as source:
        tick = Fraction(source.streams.video[0].time_base or Fraction(1, 1000))
        offset = round(begin / tick)
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is None or packet.pts is None:
                continue  # the empty packet that ends a stream
            packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
            shown_until = (packet.pts + (packet.duration or 0)) * tick
            packet.stream = stream
            container.mux(packet)
            if feed is not None:
                feed.advance(shown_until)
