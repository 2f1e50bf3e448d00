"""How large the result becomes, and whether that can be. No torch here."""

from __future__ import annotations

from engines.errors import LimitExceeded
from engines.super_resolution.request import UpscaleRequest

MOST_PIXELS = 8192 * 4608
NETWORK_SCALE = 4


def target_size(request: UpscaleRequest, width: int, height: int) -> tuple[int, int]:
    """(width, height) of the result for a source of this size; even, as the codecs want it.

    Raises: LimitExceeded if it is larger than what can be written.
    """
    wanted_width, wanted_height = width * request.factor, height * request.factor
    if request.width and request.height:
        wanted_width, wanted_height = request.width, request.height
    elif request.width:
        wanted_width, wanted_height = request.width, height * request.width / width
    elif request.height:
        wanted_width, wanted_height = width * request.height / height, request.height
    size = _even(wanted_width), _even(wanted_height)
    if size[0] * size[1] > MOST_PIXELS or max(size) > 8192:
        raise LimitExceeded(
            f"The result would have {size[0]} × {size[1]} pixels; at most 8192 on a side and {MOST_PIXELS:,} in all "
            "can be written.",
            _fix(width, height),
            "factor" if not (request.width or request.height) else "width" if request.width else "height",
        )
    return size


def _fix(width: int, height: int) -> str:
    factor = _largest_factor(width, height)
    if factor < 1:
        return "Choose an exact width and height within this, or a smaller picture."
    return f"Choose a factor of at most {factor:g}, or an exact size within this."


def _largest_factor(width: int, height: int) -> float:
    """In the steps of the field, rounded down."""
    most = min((MOST_PIXELS / (width * height)) ** 0.5, 8192 / width, 8192 / height)
    return int(most * 4) / 4


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))
