"""What a request is about, as footage, and at which rate it shall come out. No torch here."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from engines.errors import InvalidRequest, LimitExceeded
from engines.footage.alignment import eight_bit
from engines.footage.footage import Footage, Frame
from engines.footage.video import VideoFootage
from engines.interpolation.request import InterpolationRequest
from engines.media.limits import Limits

MORPH_FPS = 24
FASTEST = Fraction(240)
MOST_FRAMES = 500_000


class TwoPictures:
    """Footage of two pictures, the second in the size of the first.

    Args:
        first, second: Each a picture.
        seconds: From the one to the other.
    """

    count = 2

    def __init__(self, first: VideoFootage, second: VideoFootage, seconds: float) -> None:
        self._pictures = (first, second)
        self.height, self.width = first.height, first.width
        self.fps = 1 / Fraction(seconds).limit_denominator(1000)

    def frames(self, wanted: range) -> Iterator[Frame]:
        for index in wanted:
            frame: Frame = eight_bit(next(self._pictures[index].frames(range(1))))
            if frame.shape[:2] != (self.height, self.width):
                frame = np.asarray(cv2.resize(frame, (self.width, self.height), interpolation=cv2.INTER_AREA), np.uint8)
            yield frame


def open_source(request: InterpolationRequest) -> tuple[Footage, VideoFootage]:
    """(what is interpolated, the file in the field `video`). Raises: UserError that names the field."""
    video = VideoFootage(
        request.video, request.start, request.end, deinterlace=request.deinterlace, limits=Limits(), field="video"
    )
    if request.second is None:
        if video.count < 2:
            raise InvalidRequest(
                f"“{request.video.name}” has one frame, and there is nothing between one frame.",
                "Choose a video with at least two frames, or a second picture that the first one turns into.",
                "video",
            )
        return video, video
    return TwoPictures(_picture(video, request.video, "video"), _second(request.second), request.morph_seconds), video


def result_fps(request: InterpolationRequest, source: Footage) -> Fraction:
    """Frames per second of the result. Raises: LimitExceeded."""
    return Fraction(MORPH_FPS) if request.second is not None else times_as_many(request.rate, source.fps)


def times_as_many(rate: str, fps: Fraction) -> Fraction:
    """Frames per second for a value of the field `rate`: "x2" is twice the source's, "60" is 60.

    Raises: LimitExceeded for more than can be written.
    """
    if not rate.startswith("x"):
        return Fraction(int(rate))
    faster = fps * int(rate[1:])
    if faster > FASTEST:
        raise LimitExceeded(
            f"{rate[1:]} times {float(fps):g} frames per second are {float(faster):g}; "
            f"at most {int(FASTEST)} can be written.",
            "Choose a smaller factor, or frames per second.",
            "rate",
        )
    return faster


def check_length(request: InterpolationRequest, source: Footage) -> None:
    """Raises: LimitExceeded for more frames than anybody waits for."""
    frames = int(source.count / source.fps * Fraction(request.slower) * result_fps(request, source))
    check_frames(frames, "Choose an earlier out point, a lower rate or a smaller slow motion.")


def check_frames(frames: int, fix: str) -> None:
    """Raises: LimitExceeded for more frames than anybody waits for."""
    if frames > MOST_FRAMES:
        raise LimitExceeded(
            f"The result would have {frames:,} frames; at most {MOST_FRAMES:,} are made in one job.", fix, "end"
        )


def _second(path: Path) -> VideoFootage:
    return _picture(VideoFootage(path, limits=Limits(), field="second"), path, "second")


def _picture(footage: VideoFootage, path: Path, field: str) -> VideoFootage:
    if footage.count != 1:
        raise InvalidRequest(
            f"“{path.name}” has {footage.count} frames; one picture turns into another one.",
            "Choose a picture in both fields, or leave the second one empty.",
            field,
        )
    return footage
