"""Chips and completions under the prompt: what the bundled model knows, one click away. Runs in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from studio.theme import STATIC

TEMPLATE = """
<div class="completions" role="group" aria-label="Completions" hidden></div>
<div class="chip-groups">
{{#each value.groups}}
  <details class="chip-group" name="{{../value.target}}-words">
    <summary>{{this.label}} <span class="chip-count">{{this.chips.length}}</span></summary>
    <div class="chips" role="group" aria-label="{{this.label}}">
    {{#each this.chips}}<button type="button" class="chip" data-text="{{this.text}}">{{this.label}}</button>{{/each}}
    </div>
  </details>
{{/each}}
</div>
"""

SCRIPT = (STATIC / "prompt_helper.js").read_text(encoding="utf-8")

GROUP_LABELS = {"nouns": "Things", "motions": "Motions", "scenes": "Places"}


def prompt_helper(target: str, phrases: Mapping[str, Sequence[tuple[str, str]]]) -> gr.HTML:
    """The component.

    Args:
        target: Element id of the prompt's Textbox.
        phrases: Group ("nouns", "motions", "scenes") → (label, text to insert) pairs.
    """
    groups: list[dict[str, Any]] = [
        {"label": GROUP_LABELS[name], "chips": [{"label": label, "text": text} for label, text in pairs]}
        for name, pairs in phrases.items()
    ]
    return gr.HTML(
        {"target": target, "groups": groups},
        html_template=TEMPLATE,
        js_on_load=SCRIPT,
        apply_default_css=False,
        elem_id=f"{target}-helper",
    )
