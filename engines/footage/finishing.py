"""What may be done with a clip between the model that made it and its file."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from engines.footage.footage import Footage
from engines.media.metadata import OutputRecord


class Finishing(Protocol):
    """A stage behind a clip, and what a record says of it."""

    def takes(self, width: int, height: int) -> bool:
        """Whether clips of this size are finished at all."""
        ...

    def stage(self, clip: Footage, fps: Fraction | None = None) -> Footage:
        """The clip, finished. Raises: UserError.

        Args:
            fps: What it should have, of a clip that was made from a smoother one; default: as the stage likes.
        """
        ...

    def recorded(self, made: OutputRecord) -> OutputRecord:
        """The clip's own record, and what finished it."""
        ...
