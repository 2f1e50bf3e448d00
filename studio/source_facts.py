"""What the page says about a file that was brought, in a person's words."""

from __future__ import annotations

from engines.media.probe import MediaInfo
from studio.stage_html import clock

HIGH_DYNAMIC_RANGE = {"smpte2084": "HDR10", "arib_std_b67": "HLG"}
CODECS = {
    "h264": "H.264", "hevc": "HEVC", "vp8": "VP8", "vp9": "VP9", "av1": "AV1", "prores": "ProRes", "mpeg4": "MPEG-4",
    "gif": "GIF", "png": "PNG", "jpeg": "JPEG", "mjpeg": "Motion JPEG",
}  # fmt: skip


def facts_of(info: MediaInfo) -> str:
    """For example "1920 × 1080 · 29.97 frames per second · 0:12 · HEVC, 10 bits, HDR10 · sound"."""
    facts = [f"{info.width} × {info.height}"]
    if info.kind != "picture":
        rate = f"{float(info.fps):.4g} frames per second"
        facts += [rate + (", uneven" if info.variable_frame_rate else ""), clock(info.duration_seconds)]
    coding = [CODECS.get(info.codec, info.codec)]
    coding += [f"{info.bit_depth} bits"] if info.bit_depth > 8 else []
    coding += [HIGH_DYNAMIC_RANGE[info.colour.transfer]] if is_hdr(info) else []
    facts.append(", ".join(coding))
    facts += ["sound"] if info.audio is not None else []
    return " · ".join(facts)


def notices_of(info: MediaInfo, shows_copy: bool) -> list[str]:
    """What a person should know before rendering: that the page shows a copy, that bright HDR colours are mapped."""
    said = []
    if shows_copy:
        said.append("Your browser cannot play this file, so you see a light copy. The original is rendered.")
    if is_hdr(info):
        said.append("This is HDR. Its colours are mapped to the standard range, here and in the result.")
    if info.variable_frame_rate:
        said.append(f"Its frames come unevenly; the result has an even {float(info.fps):.4g} frames per second.")
    return said


def is_hdr(info: MediaInfo) -> bool:
    return info.colour.transfer in HIGH_DYNAMIC_RANGE
