"""Several shots with cuts between them, and everything written to a folder that other programs can read.

Shape legend: T frames, H rows, W columns, I items.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.spec import FilmSpec
from engines.media.clip import AudioTrack
from engines.media.target import check_folder, write_atomically
from engines.media.writer import ClipWriter

ARRAYS = ("masks", "owner", "depth", "flow", "flow_back", "intrinsics", "poses", "empty")


@dataclass(frozen=True)
class Film:
    """The shots one after another.

    Attributes:
        frames: uint8 [T, H, W, 3].
        cuts: First frame of every shot but the first.
        sound: Of all shots together, None if all are silent.
    """

    shots: tuple[RenderedScene, ...]
    frames: npt.NDArray[np.uint8]
    cuts: tuple[int, ...]
    sound: AudioTrack | None


def render_film(spec: FilmSpec, truth: bool = False) -> Film:
    """Draws every shot; the same spec gives the same bytes."""
    shots = tuple(render_scene(shot, truth) for shot in spec.shots)
    lengths = [len(shot.frames) for shot in shots]
    tracks = [shot.sound.track for shot in shots if shot.sound is not None]
    sound = None
    if tracks:
        rate = tracks[0].sample_rate
        parts = [
            shot.sound.track.samples if shot.sound is not None
            else np.zeros((1, round(len(shot.frames) / shot.spec.fps * rate)), np.float32)
            for shot in shots
        ]  # fmt: skip
        sound = AudioTrack(np.concatenate(parts, axis=1), rate)
    cuts = tuple(int(end) for end in np.cumsum(lengths)[:-1])
    return Film(shots, np.concatenate([shot.frames for shot in shots]), cuts, sound)


def write_film(spec: FilmSpec, folder: Path) -> list[Path]:
    """video.mp4 with its sound, and for each shot truth_N.npz and truth_N.json.

    Raises: ResourceError if the folder cannot be written or the disk is full.
    """
    check_folder(folder)
    film = render_film(spec, truth=True)
    video = folder / "video.mp4"
    with ClipWriter(video, Fraction(spec.shots[0].fps), crf=12, audio=film.sound) as writer:
        writer.write(film.frames)
    written = [video]
    for number, shot in enumerate(film.shots):
        assert shot.truth is not None
        arrays: dict[str, Any] = {name: getattr(shot.truth, name) for name in ARRAYS}
        arrays |= {"tracks": shot.truth.tracks.places, "tracks_visible": shot.truth.tracks.visible,
                   "tracks_item": shot.truth.tracks.items, "coverage": shot.coverage}  # fmt: skip
        path = folder / f"truth_{number}.npz"
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)
        described = folder / f"truth_{number}.json"
        write_atomically(described, json.dumps(describe(shot, film.cuts), indent=1, ensure_ascii=False).encode())
        written += [path, described]
    return written


def describe(shot: RenderedScene, cuts: tuple[int, ...] = ()) -> dict[str, Any]:
    """What is true of a shot and fits into text."""
    assert shot.truth is not None
    said = caption(shot.spec)
    return {
        "spec": shot.spec.model_dump(mode="json"),
        "caption": said.text,
        "phrases": [said.text[begin:end] for begin, end in said.phrases],
        "items": [
            {"name": name, "actor": actor} for name, actor in zip(shot.truth.names, shot.truth.actors, strict=True)
        ],
        "joints": [{name: places.tolist() for name, places in joints.items()} for joints in shot.truth.joints],
        "mouths": [None if mouth is None else mouth.tolist() for mouth in shot.truth.mouths],
        "onsets": [vars(onset) for onset in shot.sound.onsets] if shot.sound is not None else [],
        "cuts": list(cuts),
    }
