"""What the gallery shows, as plain data that the browser keeps over a reload."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Sight:
    """One render, or two side by side. Every change gives a new one.

    Attributes:
        shown: "JOB TAKE" of the render that is shown, "" for none.
        beside: "JOB TAKE" of the one that it is compared with, "" for none.
        choosing: Whether the next one that is picked becomes `beside`.
        deleted: The job that was put into the trash last and can be taken out again, "" for none.
    """

    shown: str = ""
    beside: str = ""
    choosing: bool = False
    deleted: str = ""

    @classmethod
    def from_data(cls, data: Any) -> Sight:
        """From what the browser kept; what an older version kept or somebody changed counts as nothing."""
        try:
            return cls(**data)
        except TypeError:
            return cls()

    def as_data(self) -> dict[str, Any]:
        return asdict(self)

    def picked(self, job_id: str, take: int = 0) -> Sight:
        """Another render or take was chosen."""
        one = f"{job_id} {take}"
        if not self.choosing or one == self.shown:
            return Sight(shown=one)
        return Sight(shown=self.shown, beside=one)

    def compare_pressed(self) -> Sight:
        """Begins to choose the second one; ends choosing and comparing."""
        if not self.shown or self.choosing or self.beside:
            return Sight(shown=self.shown)
        return Sight(shown=self.shown, choosing=True)


def parsed(one: str) -> tuple[str, int]:
    """(job, take) of "JOB TAKE"; take 0 if it is no number."""
    job_id, _, take = str(one).partition(" ")
    return job_id, int(take) if take.isdecimal() and take.isascii() else 0
