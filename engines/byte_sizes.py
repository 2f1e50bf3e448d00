"""Sizes in memory and on the disk, as they are said to a person."""

from __future__ import annotations


def spoken_bytes(size: float) -> str:
    """ "0 MB", "12 MB", "1.2 GB", "24 GB"."""
    if size >= 9.95e9:
        return f"{size / 1e9:.0f} GB"
    if size >= 9.995e8:
        return f"{size / 1e9:.1f} GB"
    return f"{max(1, round(size / 1e6))} MB" if size else "0 MB"
