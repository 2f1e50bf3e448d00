"""What a person wrote about a video, in a file of the same name beside it: clip.txt or clip.json."""

from __future__ import annotations

import json
from pathlib import Path

MOST_BYTES = 64 * 1024


class CaptionError(ValueError):
    """A sidecar that is there and cannot be used; the message says why."""


def sidecar_captions(video: Path) -> tuple[str, ...]:
    """The captions of a video, at least one sentence each; none if there is no file beside it.

    A text file is one caption. A JSON file is a text, a list of texts (one is drawn for each use), or an object with
    "caption", "captions" or "text".

    Raises: CaptionError for a file that is not UTF-8, not JSON, empty or too long.
    """
    for suffix in (".txt", ".json"):
        path = video.with_suffix(suffix)
        if path.is_file():
            found = tuple(text for text in (" ".join(one.split()) for one in _texts(path)) if text)
            if not found:
                raise CaptionError(f"the caption file {path.name} is empty")
            return found
    return ()


def _texts(path: Path) -> list[str]:
    if path.stat().st_size > MOST_BYTES:
        raise CaptionError(f"the caption file {path.name} is larger than {MOST_BYTES // 1024} KB")
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaptionError(f"the caption file {path.name} is not UTF-8 text") from error
    if path.suffix == ".txt":
        return [content]
    try:
        value = json.loads(content)
    except json.JSONDecodeError as error:
        raise CaptionError(f"the caption file {path.name} is not JSON: {error}") from error
    if isinstance(value, dict):
        value = next((value[name] for name in ("caption", "captions", "text") if name in value), None)
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise CaptionError(f"the caption file {path.name} has no “caption”")
    return texts
