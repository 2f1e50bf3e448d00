"""Between the colours of a file (matrix, range, primaries, transfer) and ours: RGB, full range, BT.709 primaries.

Everything is said to the scaler explicitly; what it would guess differs between its versions and our file types.
Numbers: ITU-T H.273 (the code points in the file) and swscale's SWS_CS_* (what the scaler calls the matrices).
"""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter

_MATRICES = {
    0: "rgb", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020c",
}  # fmt: skip
_SCALER_MATRICES = {
    "bt709": Colorspace.ITU709, "fcc": Colorspace.FCC, "bt470bg": Colorspace.ITU601, "smpte170m": Colorspace.ITU601,
    "smpte240m": Colorspace.SMPTE240M, "bt2020nc": Colorspace.BT2020, "bt2020c": Colorspace.BT2020,
}  # fmt: skip
_RANGES = {1: "limited", 2: "full"}
_PRIMARIES = {int(value): value.name.lower() for value in ColorPrimaries if value.name != "UNSPECIFIED"}
_TRANSFERS = {int(value): value.name.lower() for value in ColorTrc if value.name != "UNSPECIFIED"}
_WIDE_PRIMARIES = {"bt2020", "smpte431", "smpte432"}
_HIGH_DYNAMIC_RANGE = {"smpte2084", "arib_std_b67"}

# Accurate rounding and full chroma keep flat colours within a level or two; bit-exact paths make two machines agree.
_EXACT = (
    Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP | Interpolation.BITEXACT
)


@dataclass(frozen=True)
class ColourTags:
    """What a file says about its colours, "unspecified" where it says nothing.

    Attributes:
        matrix: "bt709", "smpte170m" (BT.601), "bt2020nc", "rgb", …
        range: "limited" (16–235), "full".
        primaries: "bt709", "bt2020", …
        transfer: "bt709", "smpte2084" (PQ), "arib_std_b67" (HLG), …
    """

    matrix: str = "unspecified"
    range: str = "unspecified"
    primaries: str = "unspecified"
    transfer: str = "unspecified"

    @staticmethod
    def of(source: av.VideoFrame | av.VideoCodecContext) -> ColourTags:
        """The tags of a decoded frame or of a stream's header."""
        return ColourTags(
            _MATRICES.get(int(source.colorspace), "unspecified"),
            _RANGES.get(int(source.color_range), "unspecified"),
            _PRIMARIES.get(int(source.color_primaries), "unspecified"),
            _TRANSFERS.get(int(source.color_trc), "unspecified"),
        )

    def completed(self, pixel_format: str, width: int, height: int) -> ColourTags:
        """Untagged matrix and range filled in the way players do: BT.601 below 720 lines, limited except yuvj."""
        matrix, colour_range = self.matrix, self.range
        if matrix in ("unspecified", "rgb"):
            matrix = "bt709" if width >= 1280 or height > 576 else "smpte170m"
        if colour_range == "unspecified":
            colour_range = "full" if pixel_format.startswith("yuvj") else "limited"
        return ColourTags(matrix, colour_range, self.primaries, self.transfer)


def to_rgb(
    frame: av.VideoFrame, width: int, height: int, bit_depth: int, reformatter: VideoReformatter
) -> av.VideoFrame:
    """A decoded frame as RGB of the wanted size.

    Wide primaries (BT.2020, P3) and high dynamic range (PQ, HLG) are converted to BT.709. The primaries of
    standard definition are taken as BT.709, as players do; the difference is not visible.

    Args:
        frame: In the file's pixel format.
        width, height: Of the result, before rotation.
        bit_depth: 8 gives rgb24, 16 gives rgb48le.
        reformatter: Kept by the caller over all frames of a file, so that tables are set up once.
    """
    target = "rgb24" if bit_depth == 8 else "rgb48le"
    smaller = width < frame.width or height < frame.height
    interpolation = (Interpolation.AREA if smaller else Interpolation.BICUBIC) | _EXACT
    if frame.format.is_rgb or frame.format.has_palette:
        return reformatter.reformat(frame, width, height, target, interpolation=interpolation, threads=1)
    tags = ColourTags.of(frame).completed(frame.format.name, frame.width, frame.height)
    convert_gamut = tags.primaries in _WIDE_PRIMARIES or tags.transfer in _HIGH_DYNAMIC_RANGE
    return reformatter.reformat(
        frame,
        width,
        height,
        target,
        src_colorspace=_SCALER_MATRICES[tags.matrix],
        dst_colorspace=_SCALER_MATRICES[tags.matrix],
        src_color_range=ColorRange.JPEG if tags.range == "full" else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        dst_color_trc=ColorTrc.BT709 if convert_gamut else None,
        dst_color_primaries=ColorPrimaries.BT709 if convert_gamut else None,
        interpolation=interpolation,
        threads=1,
    )


def from_rgb(frame: av.VideoFrame, reformatter: VideoReformatter, pixel_format: str = "yuv420p") -> av.VideoFrame:
    """An RGB frame in this YUV format, BT.709 matrix, limited range, tagged so."""
    converted = reformatter.reformat(
        frame,
        format=pixel_format,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC | _EXACT,
        threads=1,
    )
    tag_bt709(converted)
    return converted


def tag_bt709(target: av.VideoFrame | av.VideoCodecContext) -> None:
    """Writes the tags of what `from_rgb` makes: matrix, range, primaries and transfer."""
    target.colorspace = 1  # H.273 MatrixCoefficients 1 is BT.709
    target.color_range = ColorRange.MPEG
    target.color_primaries = ColorPrimaries.BT709
    target.color_trc = ColorTrc.BT709
