"""Music under a film: repeated or cut to its length, with fades, as loud as wanted (FFmpeg's meter of EBU R 128)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.filter import Graph

from engines.errors import MediaError
from engines.media.clip import AudioTrack, Samples

RATE = 48_000


def check_music(path: Path, fade_seconds: float, film_seconds: float) -> list[str]:
    """What is said of the music before anything is rendered.

    Raises: MediaError (field music) for what cannot be read.
    """
    seconds = _seconds(path)
    said = []
    if fade_seconds > film_seconds / 2:
        said.append(f"The music comes and goes in {film_seconds / 2:.1f} seconds each: the film is no longer.")
    if seconds < film_seconds - 0.1:
        said.append(f"The music lasts {seconds:.1f} seconds and is played {math.ceil(film_seconds / seconds)} times.")
    if seconds > film_seconds + 0.1:
        said.append(f"Of the music the first {film_seconds:.1f} seconds of {seconds:.1f} are heard.")
    return said


def _seconds(path: Path) -> float:
    """How long it is, by its header where that says so: a form asks after every edit."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            next(container.decode(stream))
            if stream.duration and stream.time_base is not None:
                return float(stream.duration * stream.time_base)
    except (av.FFmpegError, OSError, IndexError, ValueError, StopIteration):
        pass  # what is wrong with it is said by who reads it
    return read_sound(path).shape[1] / RATE


def music_for(path: Path, film_seconds: float, fade_seconds: float, loudness: float) -> AudioTrack:
    """The music of a film, float32 [2, samples].

    Args:
        loudness: LUFS.

    Raises: as check_music.
    """
    wanted, fade = round(film_seconds * RATE), round(min(fade_seconds, film_seconds / 2) * RATE)
    sound = read_sound(path)
    long = np.tile(sound, (1, math.ceil(wanted / sound.shape[1])))[:, :wanted]
    made = long * _gain(long, loudness)
    if fade:
        ramp = np.arange(fade, dtype=np.float32) / fade
        made[:, :fade] *= ramp
        made[:, -fade:] *= ramp[::-1]
    return AudioTrack(made, RATE)


def read_sound(path: Path, field: str = "music") -> Samples:
    """All of a sound file, float32 [2, samples] at RATE. Raises: MediaError where there is none."""
    blocks = []
    try:
        with av.open(str(path)) as container:
            resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
            for decoded in container.decode(audio=0):
                blocks += [frame.to_ndarray() for frame in resampler.resample(decoded)]
            blocks += [frame.to_ndarray() for frame in resampler.resample(None)]
    except (av.FFmpegError, OSError, IndexError, ValueError):
        blocks = []
    if not sum(block.shape[1] for block in blocks):
        raise MediaError(
            f"“{path.name}” holds no sound that can be read.",
            "Bring a sound file such as WAV, MP3, FLAC or OGG, or leave the music out.",
            field,
        )
    return np.concatenate(blocks, axis=1)


def _gain(samples: Samples, loudness: float) -> float:
    """What the whole is multiplied with: one factor, so that quiet parts stay quiet. 1 for silence."""
    measured = integrated_loudness(samples)
    if not math.isfinite(measured):
        return 1.0
    gain = 10 ** ((loudness - measured) / 20)
    return float(min(gain, 0.97 / max(float(np.abs(samples).max()), 1e-6)))


def integrated_loudness(samples: Samples) -> float:
    """LUFS after EBU R 128, of float32 [channels, samples] at RATE; −∞ for silence. Measured by FFmpeg."""
    layout = "mono" if len(samples) == 1 else "stereo"
    graph = Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="fltp", layout=layout)
    meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    said = -math.inf
    for first in range(0, samples.shape[1], RATE):
        block = np.ascontiguousarray(samples[:, first : first + RATE], np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = RATE, first
        source.push(frame)
        said = _last_said(sink, said)
    source.push(None)
    said = _last_said(sink, said)
    return said if said > -69.0 else -math.inf


def _last_said(sink: Any, said: float) -> float:
    while True:
        try:
            metadata = cast(Any, sink.pull()).metadata
        except (av.FFmpegError, BlockingIOError):
            return said
        said = float(metadata.get("lavfi.r128.I", said))
