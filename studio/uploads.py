"""Files that people brought, kept under the studio's folder so that a form survives a reload and Gradio's clean-up.

    HOME/uploads/OWNER/DIGEST/NAME    OWNER and DIGEST are hashes: of the owner's name, of the file's bytes

A job has its own copy of its inputs, so what lies here may go after a week without use.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

from engines.errors import InvalidRequest, LimitExceeded, MediaError, ResourceError
from engines.media.limits import Limits
from engines.media.pictures import SUFFIXES

DAYS_KEPT = 7
MOST_FILES = 200
MOST_STEM_BYTES = 160
MOST_SUFFIX_CHARACTERS = 12
# Beside the files of a folder or an archive, made by systems and not by people.
_NOT_MEANT = ("__MACOSX", "Thumbs.db", "desktop.ini")


class Uploads:
    """Keeps files for their owners.

    Args:
        home: The studio's folder.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home.absolute() / "uploads"

    def keep(self, given: Path, owner: str) -> Path:
        """Keeps a file that Gradio received. The same bytes under the same name are kept once.

        Raises: ResourceError if the disk is full or the folder cannot be written.
        """
        self._forget_old()
        with given.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        folder = self._of(owner) / digest
        kept = folder / safe_name(given.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not kept.exists():
                _link_or_copy(given, kept)
            os.utime(folder)
        except OSError as error:
            raise _cannot_keep(given, error) from error
        return kept

    def keep_all(self, given: Sequence[Path], owner: str) -> list[Path]:
        """Keeps several files; a zip file with videos stands for these videos.

        Raises: LimitExceeded for more than MOST_FILES files; MediaError for a damaged zip file; ResourceError.
        """
        kept: list[Path] = []
        for path in given:
            if _is_meant(path.name):
                kept += self._unpacked(self.keep(path, owner), owner)
            _check_number(len(kept))
        return list(dict.fromkeys(kept))

    def owns(self, path: Path, owner: str) -> bool:
        """Whether this is a file that this owner brought. Links and ".." are followed first."""
        return path.resolve().is_relative_to(self._of(owner).resolve()) and path.exists()

    def touch(self, path: Path) -> None:
        """Notes that a file is in use, so that it is kept for another week."""
        os.utime(self.folder.joinpath(*path.relative_to(self.folder).parts[:2]))

    def _of(self, owner: str) -> Path:
        return self.folder / hashlib.sha256(owner.encode()).hexdigest()[:32]

    def _unpacked(self, kept: Path, owner: str) -> list[Path]:
        if kept.suffix.lower() != ".zip":
            return [kept]
        try:
            with zipfile.ZipFile(kept) as archive:
                inside = [one for one in archive.infolist() if not one.is_dir() and _is_meant(one.filename)]
                if not inside or any(Path(one.filename).suffix.lower() in (*SUFFIXES, ".txt") for one in inside):
                    # Pictures in a zip file are one clip; what is in it besides is judged when it is read.
                    return [kept]
                return self._extracted(archive, inside, kept, owner)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise MediaError(
                f"“{kept.name}” cannot be unpacked: it is damaged, incomplete or has a password.",
                "Make the zip file again without a password, or choose the videos themselves.",
            ) from error

    def _extracted(
        self, archive: zipfile.ZipFile, inside: Sequence[zipfile.ZipInfo], kept: Path, owner: str
    ) -> list[Path]:
        _check_number(len(inside))
        Limits().check_bytes(sum(one.file_size for one in inside))
        videos = []
        for index, one in enumerate(inside):
            target = kept.parent / f"{index:03d}" / safe_name(one.filename)
            target.parent.mkdir(exist_ok=True)
            try:
                with archive.open(one) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, 2**20)
            except OSError as error:
                raise _cannot_keep(target, error) from error
            videos.append(target)
        return videos

    def _forget_old(self) -> None:
        """Removes what nobody used for DAYS_KEPT days."""
        oldest = time.time() - DAYS_KEPT * 86400
        for folder in self.folder.glob("*/*"):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)


def safe_name(name: str) -> str:
    """A file's own name without folders and control characters, short enough for every disk."""
    plain = "".join(one if one.isprintable() else "_" for one in Path(name.replace("\\", "/")).name).strip(". ")
    stem, suffix = Path(plain or "file").stem, Path(plain or "file").suffix[:MOST_SUFFIX_CHARACTERS]
    return stem.encode()[:MOST_STEM_BYTES].decode(errors="ignore") + suffix


def lines_of(paths: Sequence[Path | str]) -> str:
    """Several files as the value of one form field: one path a line."""
    return "\n".join(str(path) for path in paths)


def paths_of(lines: object) -> list[Path]:
    """The opposite of `lines_of`; [] for an empty field."""
    return [Path(line) for line in str(lines or "").split("\n") if line.strip()]


def not_owned(name: str, field: str | None) -> InvalidRequest:
    """The error for a path that is no file of this owner, whether it exists or not."""
    return InvalidRequest(f"“{name}” is not among your files any more, or never was.", "Choose the file again.", field)


def _is_meant(name: str) -> bool:
    parts = Path(name).parts
    return bool(parts) and not parts[-1].startswith(".") and not any(part in _NOT_MEANT for part in parts)


def _check_number(files: int) -> None:
    if files > MOST_FILES:
        raise LimitExceeded(f"That is more than {MOST_FILES} files.", f"Choose at most {MOST_FILES} at a time.")


def _link_or_copy(source: Path, target: Path) -> None:
    """A link takes no room; where the disk has none, a copy that appears whole or not at all."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
    part.replace(target)


def _cannot_keep(path: Path, error: OSError) -> ResourceError:
    return ResourceError(
        f"“{path.name}” cannot be kept in the studio's folder: {error.strerror or error}.",
        "Free some space on the disk of the studio's folder, or make the folder writable, and choose the file again.",
    )
