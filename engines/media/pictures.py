"""Single pictures, and pictures in a zip file or a folder, as frames. EXIF orientation is honoured.

Transparent parts are laid on white. A sequence's rate is in its `fps.txt` ("24/1"), else 24.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, TiffImagePlugin, WebPImagePlugin

from engines.errors import MediaError
from engines.media.clip import Frames
from engines.media.container import READABLE, check_file, subject
from engines.media.limits import Limits

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
FPS_FILE = "fps.txt"
# Pillow does not load these two plugins before it looks their names up. JPEG includes MPO, a phone's several in one.
_FORMATS = ("PNG", "JPEG", "BMP", TiffImagePlugin.TiffImageFile.format, WebPImagePlugin.WebPImageFile.format)
_BAD_PICTURE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


@dataclass(frozen=True)
class PictureSequence:
    """Pictures by name; they are read one at a time.

    Attributes:
        path: A picture, a zip file or a folder.
        names: Inside the zip file or folder, in the order of their numbers; one for a single picture.
        size: (width, height) of the first one, upright.
        fps: Pictures per second; 1 for a single picture.
        codec: "png", "jpeg", …
        bit_depth: 8 or 16.
        field: For messages.
    """

    path: Path
    names: tuple[str, ...]
    size: tuple[int, int]
    fps: Fraction
    codec: str
    bit_depth: int
    field: str | None

    @property
    def single(self) -> bool:
        return self.path.suffix.lower() != ".zip" and not self.path.is_dir()

    def __len__(self) -> int:
        return len(self.names)

    def frames(self) -> Iterator[Frames]:
        """Each picture as uint8 [H, W, 3] (uint16 where bit_depth is 16), all of the first one's size."""
        with _reading(self.path, self.field) as read:
            for name in self.names:
                picture = _decode(read(name), self.bit_depth, self.path, name, self.field)
                if (picture.shape[1], picture.shape[0]) != self.size:
                    raise MediaError(
                        f"{subject(self.path, self.field)}: picture “{name}” has {picture.shape[1]} × "
                        f"{picture.shape[0]} pixels, the first one {self.size[0]} × {self.size[1]}.",
                        "Give all pictures of a sequence the same size.",
                        self.field,
                    )
                yield picture


def find_pictures(path: Path, limits: Limits, field: str | None) -> PictureSequence | None:
    """The pictures that `path` holds, or None if it is something else (a video, perhaps).

    Raises: MediaError for a folder or zip file without pictures, or a damaged picture. LimitExceeded.
    """
    if path.is_dir():
        names = [entry.name for entry in path.iterdir() if entry.is_file()]
        return _sequence(path, names, sum((path / name).stat().st_size for name in names), limits, field)
    size = check_file(path, field)
    if path.suffix.lower() == ".zip":
        limits.check_bytes(size, field)
        with _opened_zip(path, field) as archive:
            # The sizes that the zip file states are enforced by zipfile while it unpacks.
            members = {member.filename: member.file_size for member in archive.infolist()}
        return _sequence(path, list(members), sum(members.values()), limits, field)
    return _single(path, size, limits, field)


def _single(path: Path, size: int, limits: Limits, field: str | None) -> PictureSequence | None:
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            # Animated PNG is left to FFmpeg; a phone's JPEG with several pictures (MPO) means the first one.
            if picture.format == "PNG" and getattr(picture, "n_frames", 1) > 1:
                return None
    except _BAD_PICTURE:
        return None
    limits.check_bytes(size, field)
    width, height, codec, bit_depth = _look(path.read_bytes(), path, path.name, limits, field)
    return PictureSequence(path, (path.name,), (width, height), Fraction(1), codec, bit_depth, field)


def _sequence(path: Path, names: list[str], size: int, limits: Limits, field: str | None) -> PictureSequence:
    pictures = sorted((name for name in names if _is_picture(name)), key=_by_number)
    if not pictures:
        raise MediaError(
            f"{subject(path, field)} holds no pictures.",
            f"Put pictures ({', '.join(SUFFIXES)}) into it, numbered in their order, or choose {READABLE}.",
            field,
        )
    limits.check_bytes(size, field)
    with _reading(path, field) as read:
        fps = _parse_fps(read(FPS_FILE), path, field) if FPS_FILE in names else Fraction(24)
        width, height, codec, bit_depth = _look(read(pictures[0]), path, pictures[0], limits, field)
    limits.check_duration(float(len(pictures) / fps), field)
    return PictureSequence(path, tuple(pictures), (width, height), fps, codec, bit_depth, field)


def _is_picture(name: str) -> bool:
    # macOS puts a shadow file beside each one; hidden files are nobody's frames.
    base = name.rsplit("/", 1)[-1]
    return base.lower().endswith(SUFFIXES) and not base.startswith(".") and not name.startswith("__MACOSX")


def _by_number(name: str) -> list[tuple[int, str]]:
    """frame2 comes before frame10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


@contextmanager
def _reading(path: Path, field: str | None) -> Iterator[Callable[[str], bytes]]:
    """A function from a picture's name to its bytes."""
    if path.is_dir():
        yield lambda name: (path / name).read_bytes()
    elif path.suffix.lower() == ".zip":
        with _opened_zip(path, field) as archive:
            yield archive.read
    else:
        yield lambda name: path.read_bytes()


@contextmanager
def _opened_zip(path: Path, field: str | None) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            if any(member.flag_bits & 1 for member in archive.infolist()):
                raise MediaError(
                    f"{subject(path, field)} is locked with a password.", "Make a zip file without one.", field
                )
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise MediaError(
            f"{subject(path, field)} is damaged, incomplete or no zip file.", "Make or copy it again.", field
        ) from error


def _parse_fps(content: bytes, path: Path, field: str | None) -> Fraction:
    text = content[:40].decode("ascii", "replace").strip()
    try:
        fps = Fraction(text)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if not 0 < fps <= 1000:
        raise MediaError(
            f"{subject(path, field)}: {FPS_FILE} says “{text}”.", "Write a rate such as 24 or 30000/1001 there.", field
        )
    return fps


def _look(data: bytes, path: Path, name: str, limits: Limits, field: str | None) -> tuple[int, int, str, int]:
    """(width, height, codec, bit depth) from the header alone."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            width, height = picture.size
            if picture.getexif().get(0x0112, 1) in (5, 6, 7, 8):  # EXIF orientation: lying on its side
                width, height = height, width
            codec = (picture.format or "").lower()
    except _BAD_PICTURE as error:
        raise _bad_picture(path, name, field) from error
    limits.check_pixels(width, height, field)
    # Pillow reads 16-bit colour PNG as 8 bits; byte 24 of a PNG is its bit depth (PNG specification, IHDR).
    return width, height, codec, 16 if codec == "png" and data[24] == 16 else 8


def _decode(data: bytes, bit_depth: int, path: Path, name: str, field: str | None) -> Frames:
    if bit_depth == 16:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
        if picture is None:
            raise _bad_picture(path, name, field)
        deep: npt.NDArray[np.uint16] = np.ascontiguousarray(picture[..., ::-1]).astype(np.uint16, copy=False)
        return deep
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            return np.asarray(_on_white(ImageOps.exif_transpose(opened)))
    except _BAD_PICTURE as error:
        raise _bad_picture(path, name, field) from error


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return picture.convert("RGB")


def _bad_picture(path: Path, name: str, field: str | None) -> MediaError:
    shown = subject(path, field) + (f": picture “{name}”" if name != path.name else "")
    return MediaError(
        f"{shown} is damaged or incomplete.", f"Save it again as a whole picture ({', '.join(SUFFIXES)}).", field
    )
