"""A person's own files into the gallery: each is checked, copied, and told what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engines.errors import UserError
from engines.media.metadata import sidecar_of
from studio.jobs.imports import Import
from studio.owned_files import OwnedFiles

if TYPE_CHECKING:
    from studio.jobs.job import Job

MOST_SENTENCES = 4
SAID = {
    "new": "“{name}” is in the gallery.",
    "known": "“{name}” is in the gallery already; it is not doubled.",
    "restored": "“{name}” lay in the trash and is back.",
}
COUNTED = {
    "new": "{number} files are in the gallery now.",
    "known": "{number} files are in the gallery already; they are not doubled.",
    "restored": "{number} files lay in the trash and are back.",
}


@dataclass
class Brought:
    """What became of the files.

    Attributes:
        imports: Those that are in the gallery now, in their order.
        problems: What is wrong with each of the others.
    """

    imports: list[Import] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def first(self) -> Job | None:
        """The one to look at: the first that is new, else the first."""
        found = [one for one in self.imports if one.kind == "new"] or self.imports
        return found[0].job if found else None

    def sentences(self) -> list[str]:
        """What went well."""
        said = []
        for kind in SAID:
            names = [one.name for one in self.imports if one.kind == kind]
            if len(names) == 1:
                said.append(SAID[kind].format(name=names[0]))
            elif names:
                said.append(COUNTED[kind].format(number=len(names)))
        return said

    def complaint(self) -> str:
        """What went wrong, "" if nothing did."""
        if len(self.problems) <= 1:
            return "".join(self.problems)
        more = len(self.problems) - MOST_SENTENCES
        rest = f" And {more} more." if more > 0 else ""
        return f"{len(self.problems)} files were left out. {' '.join(self.problems[:MOST_SENTENCES])}{rest}"


def bring(given: Sequence[Path], owned: OwnedFiles, owner: str) -> Brought:
    """Copies files that Gradio received into the gallery; a zip file with videos stands for these videos.

    What cannot be used is left out and does not hold back the others.
    """
    brought = Brought()
    try:
        kept = owned.uploads.keep_all(given, owner)
    except UserError as error:
        brought.problems.append(str(error))
        return brought
    sidecars = {path.name: path for path in kept if path.suffix.lower() == ".json"}
    media = [path for path in kept if not (path.name in sidecars and _belongs(path, kept))]
    for path in media:
        try:
            brought.imports.append(owned.queue.imports.add(path, owner, sidecars.get(sidecar_of(path).name)))
        except UserError as error:
            brought.problems.append(str(error))
    if not media:
        brought.problems.append("There is no file in it. Choose a video or a picture.")
    return brought


def _belongs(sidecar: Path, kept: Sequence[Path]) -> bool:
    """Whether these are the settings of one of the files: “clip.gif.json” comes with “clip.gif”."""
    return any(sidecar_of(path).name == sidecar.name for path in kept if path != sidecar)
