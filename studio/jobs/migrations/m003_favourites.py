"""Favourites: finished renders that a person wants to find again."""

from __future__ import annotations

STATEMENTS: tuple[str, ...] = (
    "ALTER TABLE jobs ADD COLUMN favourite REAL",  # since when, seconds since 1970; NULL if it is none
)
