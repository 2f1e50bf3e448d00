"""Which scenes are one take, how many frames each has, and where it stands in the film. No torch here.

A crossfade takes its time from both takes: the next one begins while the one before still runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engines.backend.catalogue import ModelCard
from engines.composition.storyboard.request import Scene, StoryboardRequest
from engines.errors import InvalidRequest
from engines.long_video.choice import OVERLAP, longest_at_once, plan_film, window_frames
from engines.long_video.chunk_plan import ChunkPlan
from engines.long_video.methods import LongMethod


@dataclass(frozen=True)
class Take:
    """Scenes that go on in one another.

    Attributes:
        index: 0 … takes − 1.
        scenes: With the frames of the take in which each is heard.
        begins: Frame of the film.
        fades_in: Frames that it shares with the take before.
        chunks: How it is made.
    """

    index: int
    scenes: tuple[tuple[Scene, range], ...]
    begins: int
    fades_in: int
    chunks: ChunkPlan

    @property
    def frames(self) -> int:
        return self.chunks.frames

    def slots(self, frames: range) -> range:
        """The slots of the take that hold these of its frames; a slot that two scenes share is the earlier one's."""
        time = self.chunks.temporal_compression
        first, stop = (-(-frame // time) if frame else 0 for frame in (frames.start, frames.stop))
        last = self.scenes[-1][1].stop == frames.stop
        return range(first, self.chunks.film_slots if last else stop)


@dataclass(frozen=True)
class FilmPlan:
    """All takes.

    Attributes:
        frames: Of the film.
        fps: Frames per second, the model's own.
    """

    takes: tuple[Take, ...]
    frames: int
    fps: int

    @property
    def parts(self) -> int:
        """Parts of all takes: each goes through all steps."""
        return sum(len(take.chunks.chunks) for take in self.takes)

    def sentence(self) -> str:
        """What will happen, for a person."""
        count = len(self.takes)
        return (
            f"{self.frames} frames ({self.frames / self.fps:.1f} seconds) in {count} take{'s' * (count > 1)}, made in "
            f"{self.parts} part{'s' * (self.parts > 1)}."
        )


def plan_takes(request: StoryboardRequest, card: ModelCard) -> FilmPlan:
    """Raises: InvalidRequest (field scenes) for a scene that is shorter than a frame or than its crossfade."""
    fps, takes, begins = card.defaults.fps, list[Take](), 0
    for index, scenes in enumerate(_grouped(request.scenes)):
        lengths = [_frames(scene, fps, number) for number, scene in scenes]
        fades_in = round(request.crossfade_seconds * fps) if index and scenes[0][1].transition == "crossfade" else 0
        begins -= fades_in
        chunks = _chunks(request, card, sum(lengths), len(scenes))
        heard, first = [], 0
        for (_, scene), length in zip(scenes, lengths, strict=True):
            heard.append((scene, range(first, first + length)))
            first += length
        take = Take(index, tuple(heard), begins, fades_in, chunks)
        _check_fade(take, takes[-1] if takes else None, scenes[0][0])
        takes.append(take)
        begins += take.frames
    return FilmPlan(tuple(takes), begins, fps)


def _grouped(scenes: Sequence[Scene]) -> list[list[tuple[int, Scene]]]:
    """Scenes with their numbers from 1 on, those of a take together."""
    groups: list[list[tuple[int, Scene]]] = []
    for number, scene in enumerate(scenes, 1):
        if groups and scene.transition == "continue":
            groups[-1].append((number, scene))
        else:
            groups.append([(number, scene)])
    return groups


def _frames(scene: Scene, fps: int, number: int) -> int:
    frames = round(scene.seconds * fps)
    if frames < 1:
        raise InvalidRequest(
            f"Scene {number} lasts {scene.seconds:g} seconds, less than a frame.",
            f"Give it at least {1 / fps:.2f} seconds.",
            "scenes",
        )
    return frames


def _chunks(request: StoryboardRequest, card: ModelCard, frames: int, scenes: int) -> ChunkPlan:
    time = card.facts.temporal_compression
    padded = -(-(frames - 1) // time) * time + 1
    window = padded if frames <= longest_at_once(card) else window_frames(card)
    way: LongMethod = "chained" if request.goes_on == "chained" or scenes == 1 else "averaged"
    return plan_film(way, frames, window, min(OVERLAP, window - 1) // time * time, time)


def _check_fade(take: Take, before: Take | None, number: int) -> None:
    shortest = min(take.frames, take.frames if before is None else before.frames - before.fades_in)
    if take.fades_in >= shortest:
        raise InvalidRequest(
            f"The crossfade into scene {number} lasts longer than what it leads from or to.",
            "Make the crossfade shorter, or the scenes longer.",
            "scenes",
        )
