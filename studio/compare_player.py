"""Before and after in one frame: a border that is moved across, and two videos that play in step."""

from __future__ import annotations

from typing import Any, TypedDict

import gradio as gr

from studio.theme import STATIC

TEMPLATE = """{{#if value.label}}
<section class="compare" aria-label="{{value.label}}" data-state="done"{{#if value.before}} data-wipe{{/if}}>
  {{#if value.waiting}}<p class="compare-waiting" role="status">{{value.waiting}}</p>{{/if}}
  {{#if value.after}}
  <div class="compare-pictures" style="aspect-ratio: {{value.width}} / {{value.height}}">
    {{#if value.moves}}
    <video class="compare-after" src="{{value.after.url}}" muted loop playsinline preload="auto"
      aria-label="{{value.right}}"></video>
    {{else}}<img class="compare-after" src="{{value.after.url}}" alt="{{value.right}}">{{/if}}
    {{#if value.before}}
    <div class="compare-before" aria-hidden="true">
      {{#if value.moves}}<video src="{{value.before.url}}" muted playsinline preload="auto" tabindex="-1"></video>
      {{else}}<img src="{{value.before.url}}" alt="">{{/if}}
    </div>
    <span class="compare-line" aria-hidden="true"></span>
    <span class="compare-word before" aria-hidden="true">{{value.left}}</span>
    <span class="compare-word after" aria-hidden="true">{{value.right}}</span>
    <input type="range" class="compare-wipe" min="0" max="100" step="0.5" value="50"
      aria-label="{{value.border}}" data-left="{{value.left}}">{{/if}}
  </div>
  {{#if value.moves}}
  <div class="compare-controls">
    <button type="button" class="compare-play" aria-label="Play">Play</button>
    <input type="range" class="compare-time" min="0" max="1" step="0.001" value="0" aria-label="Time">
    <span class="compare-clock"></span>
  </div>{{/if}}{{/if}}
</section>{{/if}}"""

SCRIPT = (STATIC / "compare_player.js").read_text(encoding="utf-8")


class CompareValue(TypedDict):
    """What the player shows.

    `before` and `after` are gr.FileData as plain data, or None; `moves` says whether they are videos. At the second t
    of `after`, `before` stands at `start` + t · `rate`. `fps` is that of `after`. `width` and `height` are the shape
    of both; `left` and `right` name the two, `border` what lies between them. `waiting` is said while there is
    something to wait for; an empty `label` shows nothing at all.
    """

    label: str
    waiting: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    moves: bool
    start: float
    rate: float
    fps: float
    width: int
    height: int
    left: str
    right: str
    border: str


def nothing_to_compare() -> CompareValue:
    """The stage shows something else."""
    return CompareValue(
        label="", waiting="", before=None, after=None, moves=False, start=0.0, rate=1.0, fps=25.0, width=16, height=9,
        left="Before", right="After", border="Border between before and after",
    )  # fmt: skip


def compare_player(room: str, value: CompareValue | None = None, name: str = "compare") -> gr.HTML:
    """The component. `value` is what it shows at first."""
    return gr.HTML(
        value or nothing_to_compare(), html_template=TEMPLATE, js_on_load=SCRIPT, apply_default_css=False,
        elem_id=f"{room}-{name}",
    )  # fmt: skip
