"""Where two actors stand to each other, and which regions make it so."""

from __future__ import annotations

from engines.diorama.theatre.spec import Placed, Region, Relation

# Each gets a little more than half, so that it can be large; their middles stay apart.
SIDE = 0.58
SAME_PLACE = 0.1


def relation_of(first: Placed, second: Placed) -> Relation:
    """How the first stands to the second, told from their regions."""
    right = (first.region.left + first.region.width / 2) - (second.region.left + second.region.width / 2)
    down = (first.region.top + first.region.height / 2) - (second.region.top + second.region.height / 2)
    if max(abs(right), abs(down)) <= SAME_PLACE + 1e-6:
        return "in front of"
    if abs(right) >= abs(down):
        return "right of" if right > 0 else "left of"
    return "below" if down > 0 else "above"


def regions(relation: Relation) -> tuple[Region, Region]:
    """Where the first and the second stand, so that the relation holds."""
    rest = round(1 - SIDE, 4)
    low, high = Region(width=SIDE), Region(left=rest, width=SIDE)
    top, bottom = Region(height=SIDE), Region(top=rest, height=SIDE)
    middle, whole = Region(left=0.2, top=0.25, width=0.6, height=0.6), Region(left=0.1, top=0.1, width=0.8, height=0.8)
    made: dict[Relation, tuple[Region, Region]] = {
        "left of": (low, high), "right of": (high, low), "above": (top, bottom), "below": (bottom, top),
        "in front of": (middle, whole),
    }  # fmt: skip
    return made[relation]
