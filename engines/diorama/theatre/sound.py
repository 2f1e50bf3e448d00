"""What a scene sounds like: thumps and claps at known moments, voices as loud as mouths are open.

Shape legend: N samples; loudness 0 … 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.parts import Performance
from engines.diorama.theatre.spec import SceneSpec
from engines.media.clip import AudioTrack

SAMPLE_RATE = 16_000
VOICE_PITCH = 150.0
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Onset:
    """Something that is heard: second, what ("thump", "clap"), and which actor makes it."""

    seconds: float
    kind: str
    actor: int


@dataclass(frozen=True)
class SceneSound:
    """The sound track and its events, in the order of time."""

    track: AudioTrack
    onsets: tuple[Onset, ...]


def sound_of(spec: SceneSpec, performances: Sequence[Performance]) -> SceneSound:
    """Of the scene's length, mono; silent where nothing is heard."""
    samples = np.zeros(round(spec.frames / spec.fps * SAMPLE_RATE))
    onsets = sorted(
        (
            Onset(at / spec.fps, kind, index)
            for index, performance in enumerate(performances)
            for at, kind in performance.hits
        ),
        key=lambda onset: onset.seconds,
    )
    for onset in onsets:
        _add(samples, _thump() if onset.kind == "thump" else _clap(), onset.seconds)
    for index, performance in enumerate(performances):
        if performance.voice is not None and performance.voice.any():
            samples += _voice(performance.voice, spec.fps, len(samples), VOICE_PITCH * 1.25 ** (index % 3))
    limited = np.asarray(np.tanh(samples)[None], np.float32)
    return SceneSound(AudioTrack(limited, SAMPLE_RATE), tuple(onsets))


def _add(samples: Floats, sound: Floats, seconds: float) -> None:
    begin = round(seconds * SAMPLE_RATE)
    length = min(len(sound), len(samples) - begin)
    if length > 0:
        samples[begin : begin + length] += sound[:length]


def _thump() -> Floats:
    time = np.arange(round(0.16 * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(0.9 * np.sin(2 * np.pi * (90 * time - 120 * time**2)) * np.exp(-time * 26))


def _clap() -> Floats:
    time = np.arange(round(0.09 * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(0.8 * np.random.default_rng(0).normal(0, 0.5, len(time)) * np.exp(-time * 60))


def _voice(loudness: Floats, fps: int, length: int, pitch: float) -> Floats:
    """A hum whose loudness follows the mouth."""
    time = np.arange(length) / SAMPLE_RATE
    loud = np.interp(time * fps, np.arange(len(loudness)), loudness)
    wave = sum(np.sin(2 * np.pi * pitch * harmonic * time) / harmonic for harmonic in (1, 2, 3, 5))
    return np.asarray(0.35 * loud * wave)
