"""Many clips on one picture, and one picture for a clip."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from engines.errors import MediaError
from engines.media.target import write_atomically

_GAP = 4
_BACKGROUND = (24, 24, 27)
_TEXT = (235, 235, 235)
_PICTURE_FORMATS = {".png": "PNG", ".webp": "WEBP", ".jpg": "JPEG"}

Picture = npt.NDArray[np.uint8]


def contact_sheet(
    clips: Picture | Sequence[Picture],
    columns: int = 4,
    labels: Sequence[str] | None = None,
    frames_per_clip: int = 1,
) -> Picture:
    """Cells in rows; each cell shows frames of one clip side by side, spread evenly over it, and its label below.

    Args:
        clips: uint8 [T, H, W, 3] each, all of one H and W; or one array [T, H, W, 3] whose frames get a cell each.
        columns: Cells in a row.
        labels: A line or two of text per cell; long ones are broken and then cut.
        frames_per_clip: With 1, the middle frame.

    Returns: uint8 [rows · cell height, columns · cell width, 3].
    Raises: ValueError if clips are missing, differ in size, or labels and clips differ in number.
    """
    shown = [clip[None] for clip in clips] if isinstance(clips, np.ndarray) else list(clips)
    if not shown or columns < 1 or len({clip.shape[1:] for clip in shown}) != 1:
        raise ValueError("a contact sheet needs at least one column and clips that are all of one size")
    if labels is not None and len(labels) != len(shown):
        raise ValueError(f"{len(labels)} labels for {len(shown)} clips")
    strips = [np.concatenate(list(clip[spread(len(clip), frames_per_clip)]), axis=1) for clip in shown]
    height, width = strips[0].shape[:2]
    font = ImageFont.load_default(size=12)
    texts = [_broken(label, font, width) for label in labels] if labels else [[] for _ in strips]
    text_height = 15 * max(len(lines) for lines in texts)
    columns = min(columns, len(strips))
    rows = -(-len(strips) // columns)
    cell_width, cell_height = width + _GAP, height + text_height + _GAP
    sheet = Image.new("RGB", (columns * cell_width + _GAP, rows * cell_height + _GAP), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for index, (strip, lines) in enumerate(zip(strips, texts, strict=True)):
        x, y = _GAP + index % columns * cell_width, _GAP + index // columns * cell_height
        sheet.paste(Image.fromarray(strip), (x, y))
        for number, line in enumerate(lines):
            draw.text((x, y + height + 15 * number), line, font=font, fill=_TEXT)
    return np.asarray(sheet)


def thumbnail(frames: Picture, width: int = 320) -> Picture:
    """The middle frame of uint8 [T, H, W, 3], at most `width` pixels wide: uint8 [h, w, 3]."""
    frame = frames[len(frames) // 2]
    if frame.shape[1] <= width:
        return np.array(frame)
    height = max(round(frame.shape[0] * width / frame.shape[1]), 1)
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def save_picture(path: Path | str, picture: Picture) -> None:
    """Writes uint8 [H, W, 3] as .png or .webp (both lossless) or .jpg, whole or not at all.

    Raises: MediaError for another suffix; ResourceError if the folder cannot be written.
    """
    path = Path(path)
    kind = _PICTURE_FORMATS.get(path.suffix.lower())
    if kind is None:
        raise MediaError(
            f"“{path.name}” does not end in a picture format that can be written.",
            f"Choose one of: {', '.join(_PICTURE_FORMATS)}.",
        )
    content = io.BytesIO()
    Image.fromarray(picture).save(content, kind, **({"quality": 92} if kind == "JPEG" else {"lossless": True}))
    write_atomically(path, content.getvalue())


def spread(length: int, count: int) -> list[int]:
    """`count` indices spread evenly over 0 … length − 1; one is the middle."""
    if count == 1:
        return [length // 2]
    return [round(index * (length - 1) / (count - 1)) for index in range(count)]


def _broken(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int, most: int = 2) -> list[str]:
    """Text in at most `most` lines that fit into `width` pixels; what is left over is replaced by an ellipsis."""
    lines: list[str] = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    kept = lines[:most]
    cut = len(lines) > most
    while kept[-1] and font.getlength(kept[-1] + ("…" if cut else "")) > width:
        kept[-1], cut = kept[-1][:-1], True
    kept[-1] += "…" if cut else ""
    return kept
