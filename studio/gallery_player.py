"""The gallery's player: plays a render and goes through it frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

import gradio as gr

from studio.comparison import moves
from studio.files import FileServer
from studio.owned_files import OwnedFiles
from studio.source_preview import info_of, moving_preview, picture_of
from studio.theme import STATIC

TEMPLATE = """{{#if value.label}}
<section class="frame-player" aria-label="{{value.label}}" data-state="done">
  {{#if value.waiting}}<p class="compare-waiting" role="status">{{value.waiting}}</p>{{/if}}
  {{#if value.file}}{{#if value.moves}}
  <video src="{{value.file.url}}" loop playsinline preload="auto" tabindex="0" aria-label="{{value.label}}"></video>
  <div class="frame-player-controls">
    <button type="button" class="frame-play" aria-label="Play">Play</button>
    <button type="button" data-step="-1" aria-label="One frame back" title="One frame back: the key ,">◂ Frame</button>
    <button type="button" data-step="1" aria-label="One frame on" title="One frame on: the key .">Frame ▸</button>
    <input type="range" class="frame-time" min="0" max="1" step="1" value="0" aria-label="Frame">
    <span class="frame-clock"></span>
  </div>
  {{else}}<img src="{{value.file.url}}" alt="{{value.label}}">{{/if}}{{/if}}
</section>{{/if}}"""

SCRIPT = (STATIC / "gallery_player.js").read_text(encoding="utf-8")


class PlayerValue(TypedDict):
    """What the player shows.

    `file` is a gr.FileData as plain data, or None; `moves` says whether it is a video, `fps` how fast. `waiting` is
    said while there is something to wait for; an empty `label` shows nothing at all.
    """

    label: str
    waiting: str
    file: dict[str, Any] | None
    moves: bool
    fps: float


def nothing_to_play(label: str = "", waiting: str = "") -> PlayerValue:
    """Nothing at all, or words in the player's place."""
    return PlayerValue(label=label, waiting=waiting, file=None, moves=False, fps=25.0)


def playing(path: Path, label: str, owned: OwnedFiles, files: FileServer) -> PlayerValue:
    """A finished video; one that browsers cannot play as a light copy, which may take as long as decoding it.

    Raises: MediaError if the file is gone or cannot be decoded; ResourceError if the disk is full.
    """
    info = info_of(path)
    value = nothing_to_play(label)
    # Chromium's player never gets that far with a film of one frame.
    value["moves"] = moves(info) and info.duration_seconds * float(info.fps) > 1.5
    value["fps"] = float(info.fps)
    show = moving_preview if value["moves"] else picture_of
    value["file"] = files.file_data(show(info, owned.previews_of(path)))
    return value


def gallery_player() -> gr.HTML:
    """The component."""
    return gr.HTML(
        nothing_to_play(), html_template=TEMPLATE, js_on_load=SCRIPT, apply_default_css=False, elem_id="gallery-player"
    )
