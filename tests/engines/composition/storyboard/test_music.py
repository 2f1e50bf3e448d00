"""Music under a film: as long as it, as loud as wanted, with fades."""

from __future__ import annotations

import math
import wave
from pathlib import Path

import numpy as np
import pytest

from engines.composition.storyboard.music import RATE, check_music, integrated_loudness, music_for
from engines.errors import MediaError


def tone(path: Path, seconds: float, level: float = 0.3, rate: int = 44_100) -> Path:
    times = np.arange(round(seconds * rate)) / rate
    samples = np.stack([level * np.sin(2 * np.pi * pitch * times) for pitch in (440, 660)], axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize("seconds", [1.0, 3.0, 8.0])
def test_music_is_as_long_as_the_film_and_as_loud_as_wanted(seconds: float, tmp_path: Path) -> None:
    track = music_for(tone(tmp_path / "a.wav", seconds), 3.0, 0.0, -20.0)
    assert track.sample_rate == RATE
    assert track.samples.shape == (2, 3 * RATE)
    assert integrated_loudness(track.samples) == pytest.approx(-20, abs=0.7)


def test_music_comes_and_goes(tmp_path: Path) -> None:
    track = music_for(tone(tmp_path / "a.wav", 4.0), 4.0, 1.0, -20.0)

    def level(at: float) -> float:
        first = round(at * RATE)
        return float(np.abs(track.samples[:, first : first + RATE // 10]).max())

    assert level(0.0) < 0.2 * level(2.0)
    assert level(3.89) < 0.2 * level(2.0)
    assert level(0.5) == pytest.approx(0.55 * level(2.0), rel=0.15)


def test_loud_is_not_louder_than_can_be(tmp_path: Path) -> None:
    spike = np.zeros((1, RATE * 2), np.float32)
    spike[0, ::4800] = 1.0
    assert np.isfinite(integrated_loudness(spike))
    track = music_for(tone(tmp_path / "a.wav", 2.0, level=0.9), 2.0, 0.0, -8.0)
    assert np.abs(track.samples).max() <= 1.0
    assert integrated_loudness(np.zeros((2, RATE), np.float32)) == -math.inf


def test_shorter_and_longer_music_is_said(tmp_path: Path) -> None:
    music = tone(tmp_path / "a.wav", 2.0)
    assert check_music(music, 0.5, 2.0) == []
    assert check_music(music, 0.5, 5.0) == ["The music lasts 2.0 seconds and is played 3 times."]
    (shorter,) = check_music(music, 1.5, 2.0)
    assert shorter == "The music comes and goes in 1.0 seconds each: the film is no longer."
    assert music_for(music, 2.0, 1.5, -20.0).samples.shape == (2, 2 * RATE)
    assert check_music(music, 0.5, 1.5) == ["Of the music the first 1.5 seconds of 2.0 are heard."]


def test_what_is_no_music_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no sound at all")
    for path in (broken, tmp_path / "gone.wav"):
        with pytest.raises(MediaError, match="no sound that can be read") as refused:
            check_music(path, 0.5, 2.0)
        assert refused.value.field == "music"
