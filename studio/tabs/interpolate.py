"""The Interpolate tab: smoother or slower footage, or one picture that turns into another."""

from __future__ import annotations

import gradio as gr

from engines.backend.catalogue import Feature
from engines.task import request_class
from studio.files import FileServer
from studio.form import Choices, Form
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.prompt_advice import models_with
from studio.tabs.footage_tab import RATES, FootageTab

BETWEEN: Choices = [
    ("Pixels move (RIFE)", "flow"), ("A model, from both pictures at once", "keyframes"),
    ("A model, forwards and backwards in turn (ViBiDSampler)", "both ends"),
]  # fmt: skip


class InterpolateTab(FootageTab):
    """Frames between frames.

    Args:
        queue: Where requests go.
        files: Serves results.
        owned: Keeps the files that are brought.
    """

    task_name = "interpolation"
    tab_title = "Interpolate"

    def __init__(self, queue: JobQueue, files: FileServer, owned: OwnedFiles) -> None:
        form = Form(
            request_class(self.task_name),
            {"rate": RATES, "between": BETWEEN, "model": models_with(Feature.FIRST_FRAME, Feature.TOKEN_TIMESTEPS)},
        )
        super().__init__(self.tab_title, "Interpolate", form, queue, files, owned)

    def lay_out_main(self) -> None:
        self.form.add_rest_of("main")
        with gr.Accordion("Morph: one picture turns into another", open=False, elem_id=f"{self.task}-morph"):
            self.add_file("second", "The second picture; the first one stands above")
            self.form.add("morph_seconds", "between", "prompt", "seed")
