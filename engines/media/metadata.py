"""The record inside every file that we write: enough to render it again.

MP4 and WebM carry it as the text tag `framewright`; GIF and picture sequences have `NAME.gif.json` beside them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from engines.errors import LimitExceeded, MediaError, NotAvailable
from engines.media.container import check_file, open_input, subject

KEY = "framewright"
MAXIMUM_BYTES = 1024**2
_FIX = "Choose an MP4 or WebM that Framewright made, or the .json file that lies beside its GIF or picture sequence."


class OutputRecord(BaseModel):
    """What made a file. JSON under the key `framewright`.

    Attributes:
        framewright: Version of the software.
        request: {"task": …, and every field of that task's Request}. It makes this one file: of several takes one.
        model: {"id": …, "revision" or "sha256": …, "loras": …}.
        fingerprint: The environment that bitwise equality depends on: {"torch": …, "cpu": …, "dtype": …, "threads": …}.
        frames_sha256: Digest of the frames before encoding (engines.media.digest); ClipWriter fills it in.
        inputs: Field name → SHA-256 of the input file.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    framewright: str
    request: dict[str, Any]
    model: dict[str, Any] = {}
    fingerprint: dict[str, Any] = {}
    frames_sha256: str | None = None
    inputs: dict[str, Any] = {}

    def as_json(self) -> str:
        """One line, keys in a fixed order: equal records give equal bytes."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)


def sidecar_of(path: Path) -> Path:
    """Where the record of a GIF or a picture sequence lies: `clip.gif` has `clip.gif.json`."""
    return path.with_name(path.name + ".json")


def read_record(path: Path | str, field: str | None = None) -> OutputRecord:
    """The record of a file that we wrote, or of the sidecar itself.

    Raises:
        MediaError: The file is missing or damaged, or its record is.
        NotAvailable: It is a good file without a record.
        LimitExceeded: The record is larger than 1 MB.
    """
    path = Path(path)
    size = check_file(path, field)
    if path.suffix.lower() == ".json":
        text = _read_json_file(path, size, field)
    elif path.suffix.lower() in (".gif", ".zip"):
        sidecar = sidecar_of(path)
        if not sidecar.is_file():
            raise NotAvailable(
                f"{subject(path, field)} holds no settings, and “{sidecar.name}” is not beside it.", _FIX, field
            )
        text = _read_json_file(sidecar, sidecar.stat().st_size, field)
    else:
        text = _read_tag(path, field)
    return _parse(text, path, field)


def read_request(path: Path | str, field: str | None = None) -> dict[str, Any]:
    """{"task": …, fields …} of the request that made a file. Raises as `read_record`."""
    return read_record(path, field).request


def _read_tag(path: Path, field: str | None) -> str:
    with open_input(path, field) as container:
        # Matroska spells tag names in capitals.
        found = [text for name, text in container.metadata.items() if name.lower() == KEY]
    if not found:
        raise NotAvailable(
            f"{subject(path, field)} holds no settings: Framewright did not make it, or another program saved it anew.",
            _FIX,
            field,
        )
    _check_size(len(found[0].encode()), path, field)
    return found[0]


def _read_json_file(path: Path, size: int, field: str | None) -> str:
    _check_size(size, path, field)
    return path.read_text(encoding="utf-8", errors="replace")


def _check_size(size: int, path: Path, field: str | None) -> None:
    if size > MAXIMUM_BYTES:
        raise LimitExceeded(
            f"{subject(path, field)}: its settings have {size:,} bytes; at most {MAXIMUM_BYTES:,} are allowed.",
            _FIX,
            field,
        )


def _parse(text: str, path: Path, field: str | None) -> OutputRecord:
    try:
        return OutputRecord.model_validate(json.loads(text))
    except (json.JSONDecodeError, RecursionError, ValidationError) as error:
        raise MediaError(f"{subject(path, field)}: its settings cannot be read.", _FIX, field) from error
