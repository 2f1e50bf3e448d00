"""The Edit tab: change what a clip shows by words, or what is behind the people in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from engines.backend.catalogue import Feature
from engines.task import request_class
from studio.files import FileServer
from studio.form import Choices, Form
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.prompt_advice import catalogue
from studio.tabs.footage_tab import FootageTab
from studio.tabs.job_watch import Updates

CHOICES: dict[str, Choices] = {
    "mode": [("Change what it shows, by words", "words"), ("Another background behind people", "background")],
    "background": [("Blurred", "blur"), ("One colour", "colour"), ("Another picture", "picture")],
    "solver": [
        ("Automatic", "automatic"), ("Euler", "euler"), ("RF-Solver (midpoint)", "rf_solver"), ("FireFlow", "fireflow"),
        ("Uni-Inv", "uni_inv"), ("Fixed point", "fixed_point"), ("Reversible leapfrog", "reversible_leapfrog"),
    ],
    "method": [
        ("Value sharing (RF-Edit)", "value sharing"), ("Difference (FlowEdit)", "difference"),
        ("Weighed difference (Uni-Edit)", "weighed difference"), ("Drawn to source (RF-Inversion)", "drawn to source"),
        ("Noising (SDEdit)", "noising"),
    ],
}  # fmt: skip
HOW = ("kept_steps", "strength", "guidance_scale", "method", "solver", "steps", "model", "report")


class EditTab(FootageTab):
    """Video editing.

    Args:
        queue: Where requests go.
        files: Serves results.
        owned: Keeps the files that are brought.
    """

    task_name = "video_editing"
    tab_title = "Edit"

    def __init__(self, queue: JobQueue, files: FileServer, owned: OwnedFiles) -> None:
        form = Form(request_class(self.task_name), {**CHOICES, "model": _models()})
        super().__init__(self.tab_title, "Edit", form, queue, files, owned)

    def lay_out_main(self) -> None:
        self.form.add("mode")
        with gr.Group() as words:
            prompt, source = self.form.add("prompt", "source_prompt")
            prompt.placeholder, source.placeholder = "a rabbit jumps in the snow", "a fox jumps in the snow"
            self.form.add("seed")
        self.how = gr.Accordion("How it is edited", open=False, elem_id=f"{self.task}-how")
        with self.how:
            self.form.add(*HOW)
        with gr.Group(visible=False) as background:
            self.form.add("background", "blur", "colour")
            self.add_file("picture", "The picture behind the people")
        self.parts = {"words": [words, self.how], "background": [background]}

    @property
    def advised(self) -> list[Any]:
        return [*super().advised, *(part for parts in self.parts.values() for part in parts)]

    def advice(self, values: Mapping[str, Any], owner: str) -> Updates:
        shown = {
            part: gr.update(visible=mode == values.get("mode")) for mode, parts in self.parts.items() for part in parts
        }
        return super().advice(values, owner) | shown


def _models() -> Choices:
    """Those that make video from words."""
    return [(card.title, card.id) for card in catalogue().values() if Feature.TEXT_TO_VIDEO in card.features]
