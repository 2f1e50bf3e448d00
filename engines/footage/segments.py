"""The finished chunks of a job, on disk: each a closed file, listed with its digest, whole or not at all.

FOLDER/segments/plan.json      what the segments are of; another plan begins anew
FOLDER/segments/00000.mp4      frames of one chunk (or .zip of PNG, where the result is pictures)
FOLDER/segments/00000.json     number of its frames and their digest, written after the file
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.media.target import write_atomically


@dataclass(frozen=True)
class Segment:
    """One finished chunk.

    Attributes:
        path: Its file.
        frames: How many frames it holds.
        digest: Of these frames (engines.media.digest).
    """

    path: Path
    frames: int
    digest: str


class Segments:
    """The segments of one job.

    Args:
        folder: The job's work folder.
        plan: Plain data that decides every frame and how it is encoded; segments of another plan are removed.
        suffix: Of the segments' files.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any], suffix: str) -> None:
        self._folder = folder / "segments"
        self._suffix = suffix
        described = json.dumps(plan, sort_keys=True, default=str)
        plan_path = self._folder / "plan.json"
        if not plan_path.is_file() or plan_path.read_text(encoding="utf-8") != described:
            shutil.rmtree(self._folder, ignore_errors=True)
            write_atomically(plan_path, described.encode())

    def path(self, number: int) -> Path:
        return self._folder / f"{number:05d}{self._suffix}"

    def finished(self, number: int) -> Segment | None:
        """The segment, if it was finished by this or an earlier run."""
        listed = self.path(number).with_suffix(".json")
        if not (listed.is_file() and self.path(number).is_file()):
            return None
        known = json.loads(listed.read_text(encoding="utf-8"))
        return Segment(self.path(number), known["frames"], known["digest"])

    def finish(self, number: int, frames: int, digest: str) -> Segment:
        """Lists a segment whose file is complete."""
        content = json.dumps({"frames": frames, "digest": digest})
        write_atomically(self.path(number).with_suffix(".json"), content.encode())
        return Segment(self.path(number), frames, digest)

    @property
    def are_joined(self) -> bool:
        """Whether an earlier run of the same plan left a whole result."""
        return (self._folder / "joined.json").is_file()

    def finish_all(self) -> None:
        """The result is whole: what it was joined from is no longer needed."""
        write_atomically(self._folder / "joined.json", b"{}")
        for path in self._folder.glob("0*"):
            path.unlink(missing_ok=True)
