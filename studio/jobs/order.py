"""The order of waiting jobs. Knows places and priorities, one transaction at a time.

The queue of all owners is served in the order of `place`. An owner's jobs share out only the places that they hold
together, so nobody's wish makes another owner's job wait longer.
"""

from __future__ import annotations

import sqlite3
from typing import Literal, get_args

from engines.errors import InvalidRequest
from studio.jobs.job import PRIORITIES

Direction = Literal["up", "down", "first", "last"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

_OWN = """
    SELECT id, place, priority FROM jobs
    WHERE owner = :owner AND status IN ('queued', 'paused') ORDER BY priority DESC, place
"""


def priority_number(priority: str) -> int:
    """1, 0 or −1 for "high", "normal" or "low". Raises: InvalidRequest."""
    if priority not in PRIORITIES:
        raise InvalidRequest(
            f"There is no priority “{priority}”.", f"Choose one of: {', '.join(PRIORITIES)}.", "priority"
        )
    return PRIORITIES[priority]


def arrange(connection: sqlite3.Connection, owner: str) -> None:
    """Gives the owner's waiting jobs their places: by priority, and in the old order within one."""
    _share_out(connection, connection.execute(_OWN, {"owner": owner}).fetchall())


def moved(connection: sqlite3.Connection, job_id: str, direction: Direction, owner: str) -> bool:
    """Moves one job. It takes over the priority of a job that it passes. Returns False if it does not wait."""
    rows = connection.execute(_OWN, {"owner": owner}).fetchall()
    ids = [row["id"] for row in rows]
    if job_id not in ids:
        return False
    old = ids.index(job_id)
    new = {"up": max(0, old - 1), "down": min(len(ids) - 1, old + 1), "first": 0, "last": len(ids) - 1}[direction]
    values = {"id": job_id, "priority": rows[new]["priority"]}
    connection.execute("UPDATE jobs SET priority = :priority WHERE id = :id", values)
    job = rows.pop(old)
    rows.insert(new, job)
    _share_out(connection, rows)
    return True


def _share_out(connection: sqlite3.Connection, rows: list[sqlite3.Row]) -> None:
    places = sorted(row["place"] for row in rows)
    changes = [
        {"id": row["id"], "place": place} for row, place in zip(rows, places, strict=True) if row["place"] != place
    ]
    connection.executemany("UPDATE jobs SET place = :place WHERE id = :id", changes)
