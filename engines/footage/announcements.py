"""What a person should know of their footage before it is rendered."""

from __future__ import annotations

from engines.footage.video import VideoFootage

_HIGH_DYNAMIC_RANGE = ("smpte2084", "arib_std_b67")


def hdr_warning(footage: VideoFootage) -> list[str]:
    """High dynamic range is brought into the range that the result has."""
    if footage.info.colour.transfer in _HIGH_DYNAMIC_RANGE:
        return ["The video is HDR; its brightness is mapped to standard range (BT.709)."]
    return []
