"""Sound into a file while its frames are written, so that neither waits for the other in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from engines.media.audio import audio_blocks
from engines.media.audio_stretching import stretched
from engines.media.clip import AudioTrack, Samples
from engines.media.container import open_input
from engines.media.probe import MediaInfo, probe

_ENCODERS = {"mp4": "aac", "mov": "aac", "webm": "libopus"}
_COPYABLE = {"mp4": {"aac", "mp3"}, "mov": {"aac", "mp3"}, "webm": {"opus", "vorbis"}}
_OPUS_RATE = 48_000  # libopus takes 48, 24, 16, 12 and 8 kHz and works in 48 inside
_BLOCK_SAMPLES = 4096


@dataclass(frozen=True)
class AudioSource:
    """The sound of a file, from the time that belongs to the first frame written.

    Attributes:
        path: The file.
        start, end: Seconds since the start of its video; None is the end.
        slower: How many times longer it lasts, at its own pitch.
    """

    path: Path
    start: float | Fraction = 0
    end: float | Fraction | None = None
    slower: Fraction = Fraction(1)


class AudioFeed(Protocol):
    """Sound that is muxed up to the frames' time."""

    def advance(self, seconds: Fraction) -> None:
        """Muxes sound until `seconds`; packets that are copied may end a little later."""

    def finish(self, seconds: Fraction) -> None:
        """Muxes sound until `seconds`, the end of the last frame, and flushes."""

    def close(self) -> None:
        """Lets go of the source."""


def open_feed(container: OutputContainer, kind: str, audio: AudioTrack | AudioSource | None) -> AudioFeed | None:
    """Adds a sound stream to an output that has no header yet.

    Args:
        container: Of the output.
        kind: "mp4", "mov" or "webm".
        audio: What to write.

    Returns: None if there is no sound. Packets are copied where the format takes the source's codec and the part
    begins at its start; otherwise sound is encoded anew.
    """
    if audio is None:
        return None
    if isinstance(audio, AudioTrack):
        if audio.samples.shape[1] == 0:
            return None
        return EncodedAudio(container, kind, _blocks_of(audio), audio.sample_rate, audio.samples.shape[0])
    info = probe(audio.path)
    if info.audio is None:
        return None
    start = Fraction(audio.start).limit_denominator(1_000_000)
    end = None if audio.end is None else Fraction(audio.end).limit_denominator(1_000_000)
    if start == 0 and end is None and audio.slower == 1 and info.audio.codec in _COPYABLE[kind]:
        return CopiedAudio(container, info)
    rate = _OPUS_RATE if kind == "webm" else info.audio.sample_rate
    blocks = audio_blocks(info, start, end, rate)
    if audio.slower != 1:
        blocks = stretched(blocks, rate, audio.slower)
    return EncodedAudio(container, kind, blocks, rate, min(info.audio.channels, 2))


class EncodedAudio:
    """Samples through AAC or Opus.

    Args:
        blocks: float32 [channels, samples] one after the other.
        sample_rate, channels: Of the blocks; one or two channels.
    """

    def __init__(
        self, container: OutputContainer, kind: str, blocks: Iterator[Samples], sample_rate: int, channels: int
    ) -> None:
        self._container = container
        self._blocks = blocks
        self._rate = sample_rate
        self._layout = "mono" if channels == 1 else "stereo"
        rate = _OPUS_RATE if kind == "webm" else sample_rate
        stream = container.add_stream(_ENCODERS[kind], rate=rate, layout=self._layout)
        self._stream = cast(AudioStream, stream)
        self._position = 0
        self._rest: Samples = np.zeros((channels, 0), np.float32)

    def advance(self, seconds: Fraction) -> None:
        end = round(seconds * self._rate)
        while self._position < end:
            block = self._rest if self._rest.shape[1] else next(self._blocks, None)
            if block is None:
                return
            wanted = end - self._position
            self._rest = block[:, wanted:]
            self._encode(block[:, :wanted])

    def finish(self, seconds: Fraction) -> None:
        self.advance(seconds)
        self._container.mux(self._stream.encode(None))

    def close(self) -> None:
        self._blocks = iter(())

    def _encode(self, block: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._position, Fraction(1, self._rate)
        self._container.mux(self._stream.encode(frame))
        self._position += block.shape[1]


class CopiedAudio:
    """Packets of a source as they are: nothing is lost, nothing computed."""

    def __init__(self, container: OutputContainer, info: MediaInfo) -> None:
        self._container = container
        self._info = info
        self._opened = open_input(info.path)
        source: InputContainer = self._opened.__enter__()
        self._source_stream = source.streams.audio[0]
        self._stream = container.add_stream_from_template(self._source_stream)
        self._packets = source.demux(self._source_stream)
        self._position = Fraction(0)

    def advance(self, seconds: Fraction) -> None:
        base = Fraction(self._source_stream.time_base or 1)
        while self._position < seconds and (packet := next(self._packets, None)) is not None:
            if packet.dts is None or packet.pts is None:
                continue  # the empty packet that ends a stream
            # Sound keeps its distance to the source's first frame, which is now at 0.
            offset = round(self._info.start_time / base)
            packet.pts, packet.dts = packet.pts - offset, packet.dts - offset
            self._position = (packet.pts + (packet.duration or 0)) * base
            packet.stream = self._stream
            self._container.mux(packet)

    def finish(self, seconds: Fraction) -> None:
        self.advance(seconds)

    def close(self) -> None:
        self._opened.__exit__(None, None, None)


def _blocks_of(track: AudioTrack) -> Iterator[Samples]:
    samples = track.samples.astype(np.float32, copy=False)[:2]
    for begin in range(0, samples.shape[1], _BLOCK_SAMPLES):
        yield samples[:, begin : begin + _BLOCK_SAMPLES]
