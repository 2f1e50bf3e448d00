"""How much of the disk one owner may use, and what is said when it is used up. Knows numbers; knows no files."""

from __future__ import annotations

import os
from dataclasses import dataclass

from engines.byte_sizes import spoken_bytes
from engines.errors import InvalidRequest, LimitExceeded
from studio.home import SPACE_VARIABLE

VARIABLE = "FRAMEWRIGHT_QUOTA_GB"
# A Space has 50 GB for everybody together, and strangers come without a login.
SPACE_GIGABYTES = 2.0
# From this share on the gallery says that it gets tight.
NEAR = 0.85


@dataclass(frozen=True)
class DiskUse:
    """What one owner's renders, imports and unfinished jobs take.

    Attributes:
        used: Bytes of all of them; a file that two jobs share counts once.
        allowed: Bytes; None if there is no limit.
        trash_jobs, trash_bytes: What lies in the trash and is over.
        failed_jobs, failed_bytes: What failed, was cancelled or was interrupted, and does not lie in the trash.
    """

    used: int = 0
    allowed: int | None = None
    trash_jobs: int = 0
    trash_bytes: int = 0
    failed_jobs: int = 0
    failed_bytes: int = 0

    @property
    def is_full(self) -> bool:
        return self.allowed is not None and self.used >= self.allowed

    @property
    def is_near(self) -> bool:
        """Nearly full, or full."""
        return self.allowed is not None and self.used >= NEAR * self.allowed


def quota_from_environment() -> int | None:
    """Bytes that each owner may use; None for no limit.

    FRAMEWRIGHT_QUOTA_GB says it in GB, 0 lifts the limit. Without it there is none, but on a Space.

    Raises: InvalidRequest if it is no number.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if not given:
        return round(SPACE_GIGABYTES * 1e9) if os.environ.get(SPACE_VARIABLE) else None
    try:
        size = float(given)
    except ValueError:
        size = -1.0
    # Also false for "nan".
    if not 0 <= size <= 1e6:
        raise InvalidRequest(
            f"{VARIABLE} = “{given}” is no size.", f"Set {VARIABLE} to a number of GB, for example 20; 0 for no limit."
        )
    return round(size * 1e9) or None


def check_quota(use: DiskUse, further_bytes: int = 0) -> None:
    """Raises LimitExceeded if the limit is reached, or would be with so many bytes more."""
    if use.allowed is None or not (use.is_full or use.used + further_bytes > use.allowed):
        return
    needed = "" if use.is_full else f"; this needs {spoken_bytes(further_bytes)} more"
    message = f"Your renders use {spoken_bytes(use.used)} of the {spoken_bytes(use.allowed)} that you may use{needed}."
    raise LimitExceeded(message, _fix(use))


def _fix(use: DiskUse) -> str:
    """What gives room, the easiest first."""
    ways = []
    if use.trash_bytes:
        ways.append(f"empty the trash in the Gallery ({spoken_bytes(use.trash_bytes)})")
    if use.failed_bytes:
        ways.append(f"clear failed jobs there ({spoken_bytes(use.failed_bytes)})")
    if not ways:
        return "Move renders that you no longer need to the trash in the Gallery, empty it, and try again."
    sentence = " or ".join(ways)
    return f"{sentence[:1].upper()}{sentence[1:]}, and try again."
