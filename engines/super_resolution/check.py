"""What can be said of a request before it is rendered. No torch here."""

from __future__ import annotations

from fractions import Fraction

from engines.footage.announcements import hdr_warning
from engines.footage.video import VideoFootage
from engines.media.limits import Limits
from engines.super_resolution.request import UpscaleRequest
from engines.super_resolution.target import NETWORK_SCALE, target_size

# Of the large network on one laptop core in bfloat16; the estimate beside the button learns the truth.
PHOTO_SECONDS_PER_PIXEL = 1.7e-4
LONG_SECONDS = 120


def open_source(request: UpscaleRequest) -> VideoFootage:
    """The footage of a request. Raises: MediaError, LimitExceeded or InvalidRequest that names the field."""
    return VideoFootage(
        request.video, request.start, request.end, deinterlace=request.deinterlace, limits=Limits(), field="video"
    )


def check_request(request: UpscaleRequest, source: VideoFootage) -> list[str]:
    """Warnings. Raises: InvalidRequest or LimitExceeded if the request cannot be rendered."""
    width, height = target_size(request, source.width, source.height)
    said = [*hdr_warning(source), *_size_warnings(source, width, height)]
    seconds = source.width * source.height * source.count * PHOTO_SECONDS_PER_PIXEL
    if request.model == "photo" and request.weights is None and seconds > LONG_SECONDS:
        said.append(
            f"Photo on a laptop: about {_duration(seconds)} for {source.count} frames of "
            f"{source.width} × {source.height}. Try 3 seconds first."
        )
    return said


def _size_warnings(source: VideoFootage, width: int, height: int) -> list[str]:
    said = []
    if width < source.width and height < source.height:
        said.append(f"{width} × {height} is smaller than the video's {source.width} × {source.height}.")
    if max(width / source.width, height / source.height) > NETWORK_SCALE:
        said.append(f"The model enlarges {NETWORK_SCALE} times; beyond that the picture only becomes larger.")
    stretch = Fraction(width * source.height, height * source.width)
    if not Fraction(95, 100) < stretch < Fraction(105, 100):
        said.append("Width and height change the proportions of the picture.")
    return said


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
