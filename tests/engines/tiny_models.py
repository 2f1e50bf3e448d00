"""Tiny random checkpoints as the models of a catalogue: what tests load instead of gigabytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engines.backend.catalogue import Catalogue
from engines.backend.tiny import (
    card_for,
    save_tiny_cogvideox,
    save_tiny_hunyuan_video,
    save_tiny_ltx,
    save_tiny_wan,
    save_tiny_wan_vace,
)

__all__ = ["TINY", "card_for", "tiny_catalogue"]

# Name → the catalogue's model whose facts hold, and what makes the folder.
TINY: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "ltx": ("ltx_video", save_tiny_ltx), "wan": ("wan_2_1", save_tiny_wan),
    "two experts": ("wan_2_1", lambda folder: save_tiny_wan(folder, 0.8)),
    "wan_i2v": ("wan_2_1", lambda folder: save_tiny_wan(folder, given="channels and picture")),
    "wan_vace": ("wan_2_1", save_tiny_wan_vace), "cogvideox": ("cogvideox_2b", save_tiny_cogvideox),
    "hunyuan_video": ("hunyuan_video_1_5", save_tiny_hunyuan_video),
}  # fmt: skip


def tiny_catalogue(folder: Path, model: str) -> Catalogue:
    return Catalogue([card_for(folder, model)])
