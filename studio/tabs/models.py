"""The Models tab: what each model is, what would be fetched, and whether this machine can run it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from studio.events import BESIDE_THE_QUEUE, HIDDEN
from studio.model_facts import facts_html, memory_html
from studio.prompt_advice import catalogue

WORKING = '<section class="model-memory" role="status"><p>Working it out, about ten seconds …</p></section>'


class ModelsTab:
    """Components of the tab, in the current layout block.

    Args:
        models: (label, id) pairs; the first one is shown.
    """

    def __init__(self, models: Sequence[tuple[str, str]]) -> None:
        first = catalogue().card(models[0][1])
        gr.HTML('<header class="tab-head"><h2>Models</h2></header>', apply_default_css=False)
        self.model: Any = gr.Dropdown(
            list(models), value=first.id, label="Model", elem_id="models-model", elem_classes=["field"],
            info="What it is, where it comes from, and what it needs.",
        )  # fmt: skip
        self.facts: Any = gr.HTML(facts_html(first), apply_default_css=False, elem_id="models-facts")
        with gr.Row():
            self.sizes: list[Any] = [
                gr.Number(
                    getattr(first.defaults, name), label=name.capitalize(), precision=0, min_width=120,
                    elem_id=f"models-{name}", elem_classes=["field"],
                )
                for name in ("width", "height", "frames")
            ]  # fmt: skip
        self.ask: Any = gr.Button("Will it run here?", elem_id="models-ask")
        self.memory: Any = gr.HTML("", apply_default_css=False, elem_id="models-memory")

    def wire(self) -> None:
        self.model.change(self._shown, self.model, [self.facts, *self.sizes, self.memory], **BESIDE_THE_QUEUE)
        self.ask.click(lambda: WORKING, None, self.memory, **BESIDE_THE_QUEUE).then(
            memory_html, [self.model, *self.sizes], self.memory, **HIDDEN
        )

    @staticmethod
    def _shown(model: str) -> list[Any]:
        card = catalogue().card(model)
        start = card.defaults
        return [facts_html(card), start.width, start.height, start.frames, ""]
