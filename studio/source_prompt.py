"""What a clip of the studio shows, in the words that it was made from."""

from __future__ import annotations

from pathlib import Path

from engines.errors import UserError
from engines.media.metadata import read_record

FIELD = "source_prompt"
# Tasks whose prompt says what the result shows, whole.
SAYING = ("text_to_video", "image_animation", "video_editing")


def prompt_in(path: Path) -> str:
    """The prompt in the file's record, "" if it has none."""
    try:
        request = read_record(path).request
    except UserError:
        return ""
    return str(request.get("prompt", "")).strip() if request.get("task") in SAYING else ""
