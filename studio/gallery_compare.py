"""Two chosen renders in one frame, in step, with a border that is moved across."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from studio.compare_player import CompareValue, compare_player, nothing_to_compare
from studio.comparison import moves
from studio.files import FileServer
from studio.owned_files import OwnedFiles
from studio.source_preview import info_of, moving_preview, picture_of

LABEL = "Two renders side by side"


def no_pair(waiting: str = "") -> CompareValue:
    """Nothing at all, or words in the player's place."""
    value = nothing_to_compare()
    value["label"], value["waiting"] = LABEL if waiting else "", waiting
    value["border"] = "Border between the two renders"
    return value


def pair(left: Path, right: Path, names: tuple[str, str], owned: OwnedFiles, files: FileServer) -> CompareValue:
    """Both from their first frame on, in the shape of the right one; a film beside a picture shows its first frame.

    May take as long as decoding both, the first time. Raises: MediaError if a file is gone or cannot be decoded;
    ResourceError if the disk is full.
    """
    first, second = info_of(left), info_of(right)
    value = no_pair()
    value["label"], (value["left"], value["right"]) = LABEL, names
    value["width"], value["height"], value["fps"] = second.width, second.height, float(second.fps)
    value["moves"] = all(moves(info) and info.duration_seconds * float(info.fps) > 1.5 for info in (first, second))
    show = moving_preview if value["moves"] else picture_of
    value["before"] = files.file_data(show(first, owned.previews_of(left)))
    value["after"] = files.file_data(show(second, owned.previews_of(right)))
    return value


def pair_player() -> gr.HTML:
    """The component."""
    return compare_player("gallery", no_pair(), "pair")
