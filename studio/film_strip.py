"""A row or grid of clips to pick from: recent renders, or the takes of one render. Hover and focus play a clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import gradio as gr

from studio.theme import STATIC

TEMPLATE = """{{#if value.items}}
<section class="film-strip {{value.layout}}" aria-label="{{value.label}}">
  <h3>{{value.label}}</h3>
  <div class="film-strip-items">
  {{#each value.items}}
    <button type="button" class="film-frame{{#if this.selected}} selected{{/if}}" data-id="{{this.id}}"
      aria-pressed="{{#if this.selected}}true{{else}}false{{/if}}" title="{{this.caption}}">
      {{#if this.video}}
      <video src="{{this.video.url}}" {{#if this.poster}}poster="{{this.poster.url}}"{{/if}}
        muted loop playsinline preload="metadata" tabindex="-1" aria-hidden="true"></video>
      {{else}}{{#if this.poster}}<img src="{{this.poster.url}}" alt="">{{/if}}{{/if}}
      <span class="film-caption">{{this.caption}}</span>
    </button>
  {{/each}}
  </div>
</section>{{/if}}"""

SCRIPT = (STATIC / "film_strip.js").read_text(encoding="utf-8")


class StripItem(TypedDict):
    """One clip. `video` and `poster` are gr.FileData as plain data, or None."""

    id: str
    caption: str
    video: dict[str, Any] | None
    poster: dict[str, Any] | None
    selected: bool


def strip_value(label: str, items: Sequence[StripItem], layout: str = "row") -> dict[str, Any]:
    """Value of a film strip. layout: "row" scrolls sideways, "grid" wraps as a contact sheet."""
    return {"label": label, "items": list(items), "layout": layout}


def film_strip(elem_id: str) -> gr.HTML:
    """The component; its `pick` event carries the id of the clip that was chosen."""
    return gr.HTML(
        strip_value("", []), html_template=TEMPLATE, js_on_load=SCRIPT, apply_default_css=False, elem_id=elem_id
    )
