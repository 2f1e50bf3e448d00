"""A job's own copies of its input files, so that it renders what was submitted, whatever happens to the original.

    JOB/inputs/FIELD/NAME           one file
    JOB/inputs/FIELD/000/NAME …     a field with a list

Inside the studio's folder a copy is a hard link, elsewhere a copy on write where the disk can do that. The original is
only read. Stored requests name the copies relative to the job's folder, because the studio's folder may be moved.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engines.errors import MediaError, NotAvailable, ResourceError
from engines.task import Request

FOLDER = "inputs"
LONGEST_NAME = 60
NOT_FOOTAGE = ("weights", "audio")
# What the model of time and memory needs to know of an input.
Facts = dict[str, Any]


def input_fields(request_class: type[Request]) -> dict[str, str]:
    """Fields that hold files: name → "video", "image", "weights" or "audio"."""
    extras = {name: field.json_schema_extra for name, field in request_class.model_fields.items()}
    return {name: str(extra["input"]) for name, extra in extras.items() if isinstance(extra, dict) and "input" in extra}


def given_files(request: Request) -> Iterator[tuple[str, Path]]:
    """(field, file) of every input that the request names."""
    for name in input_fields(type(request)):
        value = getattr(request, name)
        for path in value if isinstance(value, list | tuple) else [value]:
            if path is not None:
                yield name, Path(path)


def check_given(request: Request) -> None:
    """Nothing is opened here. Whose files may be named is the page's and the endpoints' to say (owned_files.py).

    Raises: MediaError for a file that is not there.
    """
    for name, path in given_files(request):
        # A relative path would be looked for in whatever folder the studio was started from. os.path.exists takes
        # what no file system does, as names that are too long, for what it is.
        is_named = path.is_absolute() and path.name not in ("", "..")
        if not is_named or not os.path.exists(path):
            shown = path.name if len(path.name) <= LONGEST_NAME else path.name[: LONGEST_NAME - 1] + "…"
            raise MediaError(
                f"“{shown}” is not among your files any more, or never was.", "Choose the file again.", name
            )


def facts_of(request: Request) -> dict[str, list[Facts]]:
    """Field → size and length of each file; of weights and sound only the name.

    Raises: MediaError or LimitExceeded for what cannot be read.
    """
    from studio.source_preview import info_of

    kinds = input_fields(type(request))
    found: dict[str, list[Facts]] = {}
    for name, path in given_files(request):
        facts: Facts = {"name": path.name}
        if kinds[name] not in NOT_FOOTAGE:
            info = info_of(path, name)
            facts |= {"width": info.width, "height": info.height, "fps": float(info.fps)}
            facts |= {"seconds": info.duration_seconds}
        found.setdefault(name, []).append(facts)
    return found


def bytes_of(request: Request) -> int:
    """The inputs' bytes together."""
    return sum(file.stat().st_size for _, path in given_files(request) for file in _files(path))


def keep_inputs(
    request: Request, given: dict[str, list[Facts]], folder: Path, home: Path
) -> tuple[dict[str, Any], dict[str, list[Facts]]]:
    """Copies the inputs into the job's folder.

    Args:
        given: As `facts_of` found them.

    Returns: the fields to store, the copies relative to the folder; field → facts of each file with its SHA-256.
    Raises: ResourceError if the disk is full or the folder cannot be written.
    """
    fields = request.model_dump(mode="json")
    facts: dict[str, list[Facts]] = {name: [] for name in given}
    for name, known in given.items():
        paths = [path for field, path in given_files(request) if field == name]
        several = isinstance(fields[name], list)
        copies = []
        for index, (path, one) in enumerate(zip(paths, known, strict=True)):
            copy = Path(FOLDER, name, *([f"{index:03d}"] if several else []), path.name)
            facts[name].append({**one, "sha256": _keep(path, folder / copy, home, name)})
            copies.append(copy.as_posix())
        fields[name] = copies if several else copies[0]
    return fields, facts


def _keep(path: Path, copy: Path, home: Path, field: str) -> str:
    """Returns: the copy's SHA-256."""
    try:
        keep_file(path, copy, home)
        return sha256_of(copy)
    except OSError as error:
        raise ResourceError(
            f"“{path.name}” cannot be copied into the job's folder: {error.strerror or error}.",
            "Free some space, or make the studio's folder writable, and submit it again.",
            field,
        ) from error


def spelled_out(fields: dict[str, Any], inputs: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The stored fields with absolute paths of the copies.

    Args:
        inputs: The stored facts; its keys are the fields that hold files.
    """
    full = dict(fields)
    for name in inputs:
        value = fields.get(name)
        full[name] = [str(folder / one) for one in value] if isinstance(value, list) else str(folder / str(value))
    return full


def check_kept(request: Request) -> None:
    """Raises NotAvailable if a copy is gone."""
    for name, path in given_files(request):
        if not path.exists():
            raise NotAvailable(
                f"The input is gone: “{path.name}” is no longer in the job's folder.",
                "Submit it as a new job with the file.",
                name,
            )


def sha256_of(path: Path) -> str:
    """Of a file's bytes; of a folder, of its files' names and hashes in order."""
    if path.is_file():
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    whole = hashlib.sha256()
    for file in _files(path):
        whole.update(f"{file.relative_to(path).as_posix()} {sha256_of(file)}\n".encode())
    return whole.hexdigest()


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def keep_file(path: Path, target: Path, home: Path) -> None:
    """A copy of a file or folder that takes no room where that is possible. Raises: OSError."""
    source = path.resolve()
    # Nothing in the studio's folder is ever changed in place, so a link is as good as a copy there and takes no room.
    place = _link_or_copy if source.is_relative_to(home.resolve()) else _clone_or_copy
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=place)
    else:
        place(str(source), str(target))


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        _clone_or_copy(source, target)


def _clone_or_copy(source: str, target: str) -> None:
    if sys.platform == "linux" and _clone(source, target):
        return
    # On macOS this is a copy on write already.
    shutil.copyfile(source, target)


def _clone(source: str, target: str) -> bool:
    """A copy on write, on the file systems that have it (Btrfs, XFS)."""
    import fcntl

    number_of_ficlone = 0x40049409
    with open(source, "rb") as given, open(target, "wb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), number_of_ficlone, given.fileno())
        except OSError:
            return False
    return True
