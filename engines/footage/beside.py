"""A picture or video that somebody brings for a clip and that says something about each of its frames.

A mask says where, a depth video says how far.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engines.errors import InvalidRequest
from engines.footage.footage import Footage, Frame
from engines.footage.video import VideoFootage
from engines.media.limits import Limits


class FrameByFrame:
    """Checked against its clip.

    Args:
        path: A video, GIF, picture (which holds for all frames), or pictures in a zip file or folder.
        source: The clip that it is for.
        field: Of the request.
        noun: What it is called: “mask”.
        limits: Checked before decoding.

    Raises: MediaError, LimitExceeded as VideoFootage. InvalidRequest if its size or number of frames is not the clip's.
    """

    def __init__(self, path: Path, source: Footage, field: str, noun: str, limits: Limits | None = None) -> None:
        self._video = VideoFootage(path, limits=limits, field=field)
        self._is_still = self._video.info.kind == "picture"
        self.count = self._video.count
        if (self._video.width, self._video.height) != (source.width, source.height):
            raise InvalidRequest(
                f"The {noun} has {self._video.width} × {self._video.height} pixels, "
                f"the clip {source.width} × {source.height}.",
                f"Save the {noun} with {source.width} × {source.height} pixels.",
                field,
            )
        if not self._is_still and self.count != source.count:
            raise InvalidRequest(
                f"The {noun} has {self.count} frames, the clip {source.count}.",
                f"Give a {noun} with {source.count} frames, or a single picture that holds for all of them.",
                field,
            )

    def own_frames(self) -> Iterator[Frame]:
        """Each of its frames once."""
        return self._video.frames(range(self.count))

    def frames(self, wanted: range) -> Iterator[Frame]:
        """One for each of these frames of the clip."""
        if not self._is_still:
            yield from self._video.frames(wanted)
            return
        still = next(self._video.frames(range(1)))
        for _ in wanted:
            yield still
