"""Pictures that a video passes through, and when. No torch here."""

from __future__ import annotations

from pathlib import Path

from engines.errors import InvalidRequest
from engines.image_animation.request import ImageAnimationRequest


def keyframes_of(request: ImageAnimationRequest, frames: int, fps: float) -> dict[int, tuple[Path, str]]:
    """Number of a frame → the picture that stands there and the field that it came in, in order; the end picture last.

    Args:
        frames: Of the video. fps: Frames per second.

    Raises: InvalidRequest (field keyframes or keyframe_seconds) for times that are missing, out of order, the same
        frame twice, or not inside the video.
    """
    seconds = parse_seconds(request.keyframe_seconds)
    count = len(request.keyframes)
    if len(seconds) != count:
        raise InvalidRequest(
            f"There are {_counted(count, 'picture')} on the way and {_counted(len(seconds), 'time')}.",
            f"Give one time for each picture, in seconds: “{_example(count, frames / fps)}”." if count
            else "Bring the pictures, or leave the times out.",
            "keyframe_seconds",
        )  # fmt: skip
    found: dict[int, tuple[Path, str]] = {}
    last = frames - 1
    for path, at in zip(request.keyframes, seconds, strict=True):
        number = round(at * fps)
        if not 0 < number < last + (request.end_picture is None):
            raise InvalidRequest(
                f"At {at:g} seconds there is no room for a picture: the video lasts {frames / fps:.2f} seconds.",
                f"Choose times between {1 / fps:.2f} and {(last - (request.end_picture is not None)) / fps:.2f} "
                "seconds, or a longer video.",
                "keyframe_seconds",
            )
        if found and number <= max(found):
            raise InvalidRequest(
                f"The picture at {at:g} seconds does not come after the one before it.",
                "Give rising times, at least a frame apart, in the order of the pictures.",
                "keyframe_seconds",
            )
        found[number] = path, "keyframes"
    if request.end_picture is not None:
        found[last] = request.end_picture, "end_picture"
    return found


def parse_seconds(text: str) -> list[float]:
    """ "0.3, 1" → [0.3, 1.0]. Raises: InvalidRequest (field keyframe_seconds) for what is no number."""
    parts = [part for part in text.replace(";", ",").split(",") if part.strip()]
    try:
        return [float(part) for part in parts]
    except ValueError:
        raise InvalidRequest(
            f"“{text}” are no times.", "Write seconds with commas between them, like “0.3, 0.5”.", "keyframe_seconds"
        ) from None


def _example(count: int, seconds: float) -> str:
    return ", ".join(f"{seconds * (index + 1) / (count + 1):.2g}" for index in range(count))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
