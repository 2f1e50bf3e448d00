"""The Models tab: what each model is, fetching it, and whether this machine can run it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from engines.backend.model_files import can_be_fetched
from engines.byte_sizes import spoken_bytes
from studio.events import BESIDE_THE_QUEUE, HIDDEN
from studio.model_downloads import ModelDownloads, note, progress_html
from studio.model_facts import facts_html, memory_html
from studio.owner import is_visitor
from studio.prompt_advice import catalogue

WORKING = '<section class="model-memory" role="status"><p>Working it out, about ten seconds …</p></section>'
LOOK_SECONDS = 1.0
NOT_YOURS = "Only who runs this studio fetches models."
AGREE_FIRST = "Read the licence above and tick that you agree to it first."
Updates = dict[Any, Any]


class ModelsTab:
    """Components of the tab, in the current layout block.

    Args:
        models: (label, id) pairs; the first one is shown.
        downloads: Those that were begun here.
    """

    def __init__(self, models: Sequence[tuple[str, str]], downloads: ModelDownloads) -> None:
        self.downloads = downloads
        first = catalogue().card(models[0][1])
        gr.HTML('<header class="tab-head"><h2>Models</h2></header>', apply_default_css=False)
        self.model: Any = gr.Dropdown(
            list(models), value=first.id, label="Model", elem_id="models-model", elem_classes=["field"],
            info="What it is, where it comes from, and what it needs.",
        )  # fmt: skip
        self.facts: Any = gr.HTML(facts_html(first), apply_default_css=False, elem_id="models-facts")
        with gr.Column(visible=False, elem_id="models-download") as self.fetching:
            self.agreed: Any = gr.Checkbox(label="I have read the licence and agree to it", elem_id="models-agreed")
            with gr.Row():
                self.fetch: Any = gr.Button("Download", variant="primary", elem_id="models-fetch")
                self.stop: Any = gr.Button("Stop", visible=False, elem_id="models-stop")
        self.progress: Any = gr.HTML("", apply_default_css=False, elem_id="models-progress")
        self.timer = gr.Timer(LOOK_SECONDS, active=False)
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
        self.model.change(
            self._shown, self.model, [*self._of_download, self.agreed, *self.sizes, self.memory], **BESIDE_THE_QUEUE
        )
        self.fetch.click(self._start, [self.model, self.agreed], self._of_download, **BESIDE_THE_QUEUE)
        self.stop.click(self._stop, self.model, self._of_download, **BESIDE_THE_QUEUE)
        self.timer.tick(self._download, self.model, self._of_download, **BESIDE_THE_QUEUE)
        self.ask.click(lambda: WORKING, None, self.memory, **BESIDE_THE_QUEUE).then(
            memory_html, [self.model, *self.sizes], self.memory, **HIDDEN
        )

    @property
    def _of_download(self) -> list[Any]:
        return [self.facts, self.fetching, self.fetch, self.stop, self.progress, self.timer]

    def _shown(self, model: str) -> Updates:
        """Another model: its facts, its own sizes, a licence that nobody has agreed to yet."""
        start = catalogue().card(model).defaults
        sizes = dict(zip(self.sizes, (start.width, start.height, start.frames), strict=True))
        return self._download(model) | sizes | {self.agreed: False, self.memory: ""}

    def _download(self, model: str, said: str = "") -> Updates:
        """Facts, buttons and how far it is."""
        card, running = catalogue().card(model), self.downloads.is_running(model)
        return {
            self.facts: facts_html(card),
            self.fetching: gr.update(visible=can_be_fetched(card)),
            self.fetch: gr.update(visible=not running, value=f"Download {spoken_bytes(card.all_bytes)}"),
            self.stop: gr.update(visible=running),
            self.progress: note(said, "failed", role="alert") if said else progress_html(self.downloads.of(model)),
            self.timer: gr.Timer(active=running),
        }

    def _start(self, request: gr.Request, model: str, agreed: bool) -> Updates:
        said = NOT_YOURS if is_visitor(request) else "" if agreed else AGREE_FIRST
        if not said:
            self.downloads.start(model)
        return self._download(model, said)

    def _stop(self, request: gr.Request, model: str) -> Updates:
        if is_visitor(request):
            return self._download(model, NOT_YOURS)
        self.downloads.stop(model)
        return self._download(model)
