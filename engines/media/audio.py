"""Sound from a file, in blocks, lined up with the file's video.

Blocks are float32 [channels, samples], -1 … 1, one or two channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer

from engines.media.clip import AudioTrack, Samples
from engines.media.container import open_input
from engines.media.probe import MediaInfo

# Time stamps are rounded to the file's clock; only a larger gap is a real hole that must become silence.
_LARGEST_JITTER_SECONDS = 0.05


def audio_blocks(
    info: MediaInfo,
    start: Fraction = Fraction(0),
    end: Fraction | None = None,
    sample_rate: int | None = None,
    field: str | None = None,
) -> Iterator[Samples]:
    """The first sound track between two times of the video, as it is decoded.

    The first sample belongs to `start`: sound that begins later is preceded by silence, holes are filled with it.

    Args:
        info: What `probe` said of the file.
        start, end: Seconds since the start of the file's video; None is the end of the sound.
        sample_rate: Of the result; None keeps the file's.
        field: For messages.

    Raises: MediaError where the file is damaged.
    """
    if info.audio is None:
        return
    rate = sample_rate or info.audio.sample_rate
    length = None if end is None else round((end - start) * rate)
    position = 0
    with open_input(info.path, field) as container:
        stream = container.streams.audio[0]
        for time, block in _resampled(container, stream, info, start, rate):
            index = round((time - info.start_time - start) * rate)
            if position == 0 and index < 0:
                block, index = block[:, -index:], 0
            hole = index - position
            if position == 0 or hole > _LARGEST_JITTER_SECONDS * rate:
                block = np.concatenate([np.zeros((block.shape[0], max(hole, 0)), np.float32), block], axis=1)
            if length is not None:
                block = block[:, : length - position]
            if block.shape[1]:
                yield block
            position += block.shape[1]
            if length is not None and position >= length:
                return


def read_audio(
    info: MediaInfo, start: Fraction = Fraction(0), end: Fraction | None = None, sample_rate: int | None = None,
    field: str | None = None,
) -> AudioTrack | None:  # fmt: skip
    """The sound as one track in memory, None if the file has none. Arguments as of `audio_blocks`."""
    if info.audio is None:
        return None
    blocks = list(audio_blocks(info, start, end, sample_rate, field))
    channels = min(info.audio.channels, 2)
    samples = np.concatenate(blocks, axis=1) if blocks else np.zeros((channels, 0), np.float32)
    return AudioTrack(samples, sample_rate or info.audio.sample_rate)


def _resampled(
    container: InputContainer, stream: AudioStream, info: MediaInfo, start: Fraction, rate: int
) -> Iterator[tuple[Fraction, Samples]]:
    """(time on the file's clock, block) of each decoded block, from shortly before `start` on."""
    if start > 0:
        # A second earlier, so that the decoder has settled when the wanted part begins.
        target = max(start + info.start_time - 1, Fraction(0))
        container.seek(int(target * av.time_base), backward=True)
    layout = "mono" if stream.channels == 1 else "stereo"
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
    time = Fraction(0)
    for frame in _decoded(container, stream):
        for block in resampler.resample(frame):
            if block.pts is not None and block.time_base:
                time = block.pts * Fraction(block.time_base)
            samples: Samples = block.to_ndarray().astype(np.float32, copy=False)
            yield time, samples
            time += Fraction(samples.shape[1], rate)


def _decoded(container: InputContainer, stream: AudioStream) -> Iterator[av.AudioFrame | None]:
    """Decoded blocks, then None, which makes the resampler give what it still holds."""
    yield from container.decode(stream)
    yield None
