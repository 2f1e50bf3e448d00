"""Which codec, in which container, in which pixels: what an encoder is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Encoders cut work by their threads and give other bytes for another number of them.
THREADS = 4


@dataclass(frozen=True)
class VideoFormat:
    """How moving pictures are written.

    Attributes:
        container: "mp4", "webm" or "mov".
        codec: FFmpeg's name of the encoder.
        pixel_format: FFmpeg's name: "yuv420p", "yuv420p10le", "yuv422p10le".
        options: Of the encoder.
        tag: Four characters that players look for, "" for the container's own.
        browser_plays: Whether a browser shows it as it is.
    """

    container: str
    codec: str
    pixel_format: str
    options: Mapping[str, str] = field(default_factory=dict)
    tag: str = ""
    browser_plays: bool = True

    @property
    def suffix(self) -> str:
        return f".{self.container}"

    @property
    def ten_bit(self) -> bool:
        return "10" in self.pixel_format

    @property
    def needs_even_sides(self) -> bool:
        return self.codec != "libvpx-vp9"


def h264(crf: int, ten_bit: bool = False) -> VideoFormat:
    """In MP4; crf 0 … 51."""
    # Macroblock trees: with x264's AVX code, pictures narrower than a few hundred pixels come out differently from run
    # to run, even with one thread (measured: 96 × 96, 14 frames, 9 different files in 150; without trees 1 in 150).
    options = {"preset": "medium", "x264-params": "mbtree=0", "threads": str(THREADS), "crf": str(crf)}
    return VideoFormat("mp4", "libx264", _pixels(ten_bit), options, browser_plays=not ten_bit)


def h265(crf: int, ten_bit: bool = False) -> VideoFormat:
    """In MP4, tagged as Apple's players want it."""
    # pools=none: x265 makes threads of its own, and their number changes its bytes. Without B-frames: with them one
    # clip in thirty of one or two frames fails ("Not yet implemented", measured on 600).
    parameters = f"log-level=error:pools=none:frame-threads=1:bframes=0:crf={crf}"
    options = {"preset": "medium", "x265-params": parameters}
    return VideoFormat("mp4", "libx265", _pixels(ten_bit), options, tag="hvc1", browser_plays=False)


def vp9(crf: int, ten_bit: bool = False) -> VideoFormat:
    """In WebM; crf 0 … 51 is spread over VP9's scale, which ends at 63."""
    options = {
        "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1", "threads": str(THREADS),
        "crf": str(round(crf * 63 / 51)),
    }  # fmt: skip
    return VideoFormat("webm", "libvpx-vp9", _pixels(ten_bit), options)


def av1(crf: int, ten_bit: bool = False) -> VideoFormat:
    """In MP4; SVT-AV1, crf 0 … 51 spread over its 63."""
    options = {"preset": "8", "svtav1-params": "lp=1", "crf": str(max(1, round(crf * 63 / 51)))}
    return VideoFormat("mp4", "libsvtav1", _pixels(ten_bit), options)


def prores() -> VideoFormat:
    """ProRes 422 HQ in QuickTime, for cutting: 10 bits, every frame alone."""
    options = {"profile": "3", "vendor": "apl0", "threads": str(THREADS)}
    return VideoFormat("mov", "prores_ks", "yuv422p10le", options, browser_plays=False)


CODECS = {"h264": h264, "h265": h265, "vp9": vp9, "av1": av1}


def _pixels(ten_bit: bool) -> str:
    return "yuv420p10le" if ten_bit else "yuv420p"
