"""How large an input may be. Checked on the header, before any picture is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from engines.errors import LimitExceeded


@dataclass(frozen=True)
class Limits:
    """Largest input that is accepted; None lifts that limit.

    Attributes:
        duration_seconds: Length of the clip in seconds.
        pixels: Width × height of one frame.
        bytes: Size of the file; for a sequence of pictures, of all pictures together.
    """

    duration_seconds: float | None = 900.0
    pixels: int | None = 4096 * 2304
    bytes: int | None = 4 * 1024**3

    def check_bytes(self, size: int, field: str | None = None) -> None:
        """Raises LimitExceeded if a file of `size` bytes is too large."""
        if self.bytes is not None and size > self.bytes:
            raise LimitExceeded(
                f"{_subject(field)} has {_megabytes(size)}; at most {_megabytes(self.bytes)} are allowed.",
                "Cut it shorter or save it with a lower quality, and try again.",
                field,
            )

    def check_pixels(self, width: int, height: int, field: str | None = None) -> None:
        """Raises LimitExceeded if a frame of `width` × `height` pixels is too large."""
        if self.pixels is not None and width * height > self.pixels:
            raise LimitExceeded(
                f"{_subject(field)} has frames of {width} × {height} = {width * height:,} pixels; "
                f"at most {self.pixels:,} are allowed.",
                "Make the picture smaller, and try again.",
                field,
            )

    def check_duration(self, seconds: float, field: str | None = None) -> None:
        """Raises LimitExceeded if a clip of `seconds` is too long."""
        if self.duration_seconds is not None and seconds > self.duration_seconds:
            raise LimitExceeded(
                f"{_subject(field)} lasts {seconds:.1f} seconds; at most {self.duration_seconds:g} are allowed.",
                "Cut the clip shorter, and try again.",
                field,
            )


def _subject(field: str | None) -> str:
    return f"The file for {field}" if field else "The file"


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:,.1f} MB"
