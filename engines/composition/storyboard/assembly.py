"""Takes become one film: in their order, crossfaded, with titles over them. moviepy composes; encoding is ours.

Shape legend: frames uint8 [H, W, 3].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from engines.composition.storyboard.takes import FilmPlan, Take
from engines.footage.footage import Footage, Frame

TITLE_HEIGHT = 0.11  # of the frame
FADE = 0.25  # seconds that a title takes to come and to go


class FilmFootage:
    """The whole film.

    Args:
        takes: The frames of each take of the plan.
    """

    def __init__(self, plan: FilmPlan, takes: Sequence[Footage]) -> None:
        self.count, self.fps = plan.frames, Fraction(plan.fps)
        self.height, self.width = takes[0].height, takes[0].width
        self._film = _composed(plan, takes, (self.width, self.height))

    def frames(self, wanted: range) -> Iterator[Frame]:
        for number in wanted:
            # The middle of the frame's time: at its edge rounding could give the neighbour.
            yield np.asarray(self._film.get_frame((number + 0.5) / float(self.fps)), np.uint8)


def _composed(plan: FilmPlan, takes: Sequence[Footage], size: tuple[int, int]) -> Any:
    from moviepy import CompositeVideoClip

    layers = [_layer(take, footage, plan.fps) for take, footage in zip(plan.takes, takes, strict=True)]
    titles = [title for take in plan.takes for title in _titles(take, plan.fps, size)]
    return CompositeVideoClip([*layers, *titles], size=size).with_duration(plan.frames / plan.fps)


def _layer(take: Take, footage: Footage, fps: int) -> Any:
    from moviepy import VideoClip, vfx

    def frame_at(seconds: float) -> Frame:
        number = min(footage.count - 1, max(0, int(seconds * fps)))
        return next(iter(footage.frames(range(number, number + 1))))

    clip = VideoClip(frame_at, duration=take.frames / fps).with_start(take.begins / fps)
    # moviepy's mask is seconds / duration: from the middle of the first frame on to that of the last.
    return clip.with_effects([vfx.CrossFadeIn(take.fades_in / fps)]) if take.fades_in else clip


def _titles(take: Take, fps: int, size: tuple[int, int]) -> list[Any]:
    from moviepy import TextClip, vfx

    made = []
    for scene, heard in take.scenes:
        if not scene.title.strip():
            continue
        words = TextClip(
            text=scene.title, font_size=max(8, round(TITLE_HEIGHT * size[1])), color="white", stroke_color="black",
            stroke_width=1, method="caption", size=(size[0] - size[0] // 10, None), text_align="center",
            margin=(0, size[1] // 24),
        )  # fmt: skip
        lasts = len(heard) / fps
        fade = min(FADE, lasts / 4)
        words = words.with_duration(lasts).with_start((take.begins + heard.start) / fps)
        words = words.with_position(("center", "bottom"))
        made.append(words.with_effects([vfx.CrossFadeIn(fade), vfx.CrossFadeOut(fade)]))
    return made
