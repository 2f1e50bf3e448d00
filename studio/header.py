"""The head of the page: mark, model menu, device and queue length, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from studio.device import device_line

MARK = (
    '<svg class="mark" viewBox="0 0 40 28" aria-hidden="true" focusable="false">'
    '<rect width="40" height="28" rx="5" fill="currentColor"/>'
    + "".join(
        f'<rect x="{x}" y="{y}" width="4" height="4" rx="1" class="mark-hole"/>' for x in (3, 33) for y in (4, 12, 20)
    )
    + '<rect x="10" y="4" width="20" height="20" rx="2" class="mark-hole"/>'
    '<path d="M16.5 9 V19 L25.5 14 Z" fill="currentColor"/></svg>'
)
BRAND = f'<div class="brand">{MARK}<h1>Framewright</h1></div>'
THEME_BUTTON = (
    '<button type="button" class="theme-toggle" data-action="toggle-theme" aria-label="Switch between light and dark">'
    '<svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" '
    'stroke-width="2"/><path d="M10 3 A7 7 0 0 1 10 17 Z" fill="currentColor"/></svg></button>'
)


def status_line(waiting: int) -> str:
    """Device and queue, e.g. "CPU, 24 GB · queue 2"."""
    return (
        f'<div class="status-line"><span>{escape(device_line())}</span>'
        f'<button type="button" class="queue-length" data-action="toggle-queue" aria-expanded="false" '
        f'aria-controls="queue">queue {waiting}</button>{THEME_BUTTON}</div>'
    )


class Header:
    """Components of the head.

    Args:
        models: (label, id) pairs for the menu; the first one is chosen.
        model_help: What the menu is for, for screen readers.
    """

    def __init__(self, models: Sequence[tuple[str, str]], model_help: str) -> None:
        with gr.Row(elem_classes=["head"], elem_id="head"):
            gr.HTML(BRAND, apply_default_css=False, elem_classes=["head-brand"])
            self.model: Any = gr.Dropdown(
                choices=list(models), value=models[0][1], label="Model", info=model_help, container=True,
                elem_id="model", elem_classes=["field", "model"], scale=0, min_width=250,
            )  # fmt: skip
            self.status = gr.HTML(status_line(0), apply_default_css=False, elem_classes=["head-status"])
