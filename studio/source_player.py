"""The player of a file that was brought: it plays or shows it, sets in and out points, and lists what comes with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import gradio as gr

from studio.theme import STATIC

TEMPLATE = """{{#if value.name}}
<section class="source" aria-label="{{value.label}}">
  {{#if value.video}}
  <video src="{{value.video.url}}" controls muted playsinline preload="auto" aria-label="{{value.name}}"></video>
  {{else}}{{#if value.picture}}<img src="{{value.picture.url}}" alt="{{value.name}}">
  {{else}}<p class="source-waiting" role="status">{{value.waiting}}</p>{{/if}}{{/if}}
  <p class="source-name">{{value.name}}</p>
  <p class="source-facts">{{value.facts}}</p>
  {{#each value.notices}}<p class="source-notice" role="status">{{this}}</p>{{/each}}
  {{#if value.duration}}
  <div class="trim">
    <div class="trim-track">
      <input type="range" class="trim-in" min="0" max="{{value.duration}}" step="{{value.step}}" aria-label="In point">
      <input type="range" class="trim-out" min="0" max="{{value.duration}}" step="{{value.step}}"
        aria-label="Out point">
    </div>
    <p class="trim-words"></p>
    <div class="trim-buttons">
      <button type="button" data-set="start">Begin here</button>
      <button type="button" data-set="end">End here</button>
      <button type="button" data-set="whole">Whole clip</button>
    </div>
  </div>{{/if}}
  {{#if value.batch}}
  <ol class="source-batch" aria-label="Files of this batch">
    {{#each value.batch}}
    <li><button type="button" data-file="{{this.index}}" aria-pressed="{{this.shown}}"><strong>{{this.name}}</strong>
      <span>{{this.facts}}</span></button></li>
    {{/each}}
  </ol>{{/if}}
</section>{{/if}}"""

SCRIPT = (STATIC / "source_player.js").read_text(encoding="utf-8")


class BatchItem(TypedDict):
    """One of several files: its place, name, facts or what is wrong with it, and whether it is the one shown."""

    index: int
    name: str
    facts: str
    shown: str


class SourceValue(TypedDict):
    """What the player shows.

    `video` and `picture` are gr.FileData as plain data, or None; `duration` (seconds) is 0 where nothing can be cut
    off; `step` is the time of one frame; `waiting` is said while there is nothing to look at yet.
    """

    task: str
    label: str
    name: str
    facts: str
    notices: list[str]
    waiting: str
    video: dict[str, Any] | None
    picture: dict[str, Any] | None
    duration: float
    fps: float
    step: float
    batch: list[BatchItem]


def no_source(task: str, label: str) -> SourceValue:
    """Nothing was brought yet."""
    return SourceValue(
        task=task, label=label, name="", facts="", notices=[], waiting="", video=None, picture=None,
        duration=0.0, fps=0.0, step=0.0, batch=[],
    )  # fmt: skip


def batch_items(names_and_facts: Sequence[tuple[str, str]], shown: int) -> list[BatchItem]:
    """The list below the player; [] for a single file."""
    if len(names_and_facts) < 2:
        return []
    return [
        BatchItem(index=index, name=name, facts=facts, shown="true" if index == shown else "false")
        for index, (name, facts) in enumerate(names_and_facts)
    ]


def source_player(task: str, name: str, label: str) -> gr.HTML:
    """The component for the field `name`; its `pick` event carries the place of a file of the batch."""
    return gr.HTML(
        no_source(task, label),
        html_template=TEMPLATE,
        js_on_load=SCRIPT,
        apply_default_css=False,
        elem_id=f"{task}-{name}-source",
    )
