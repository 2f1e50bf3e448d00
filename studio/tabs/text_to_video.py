"""The Text to video tab: a prompt, menus of what the model was trained for, takes to pick from."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr

from engines.diorama.vocabulary import chip_phrases, example_prompts
from engines.task import request_class
from studio import stage_html
from studio.estimates import estimate_line
from studio.events import BESIDE_THE_QUEUE
from studio.files import FileServer
from studio.form import Form
from studio.jobs.queue import JobQueue
from studio.model_facts import memory_line
from studio.model_menus import ModelMenu, length_entries, size_entries
from studio.owner import owner_of
from studio.prompt_advice import (
    catalogue,
    length_words,
    prompt_warning,
    settings_advice,
    some_prompt,
    step_cache_choices,
)
from studio.prompt_helper import prompt_helper
from studio.stage import Stage
from studio.tabs.job_watch import Updates
from studio.tabs.task_tab import LARGEST_SEED, TAKES, TaskTab

TASK = "text_to_video"
OFFERED_EXAMPLES = 3


class TextToVideoTab(TaskTab):
    """A prompt becomes a video.

    Args:
        queue: Where requests go.
        files: Serves results.
        model: The model menu in the head of the page.
        models: (label, id) pairs of that menu.
    """

    def __init__(self, queue: JobQueue, files: FileServer, model: Any, models: Sequence[tuple[str, str]]) -> None:
        self.first_model = models[0][1]
        form = Form(request_class(TASK), {"takes": TAKES, "model": models, "step_cache": step_cache_choices()})
        form.adopt("model", model)
        super().__init__("Text to video", "Render", form, queue, files)

    def lay_out_controls(self) -> None:
        with gr.Group(elem_classes=["prompt-group"]):
            (prompt,) = self.form.add("prompt")
            prompt.placeholder = "a fox bounces on a green field"
            self.warning = gr.HTML("", elem_id=f"{TASK}-warning", apply_default_css=False)
            prompt_helper(prompt.elem_id, chip_phrases())
        with gr.Row(elem_classes=["basics"]):
            self.menus = [
                self._menu("Size", "Width × height in pixels.", ("width", "height"), size_entries),
                self._menu("Length", "One picture or a clip.", ("frames",), length_entries),
            ]
            self.form.add("seed", "takes")
        self.form.add("finish")
        with gr.Accordion("Look", open=False, elem_id=f"{TASK}-look"):
            self.form.add_rest_of("look")
        with gr.Accordion("Quality", open=False, elem_id=f"{TASK}-quality"):
            self.form.add_rest_of("quality")
        self.advanced = gr.Accordion("Advanced", open=False, elem_id=f"{TASK}-advanced")
        with self.advanced:
            with gr.Row():
                self.form.add("width", "height", "frames")
            self.form.add_rest_of("advanced")
        self.memory_needed = gr.HTML("", elem_id=f"{TASK}-memory", apply_default_css=False)

    def _menu(self, label: str, info: str, fields: tuple[str, ...], entries: Callable[..., Any]) -> ModelMenu:
        return ModelMenu(label, info, f"{TASK}-{label.lower()}", fields, entries, self.first_model)

    def make_stage(self) -> Stage:
        return Stage(TASK, self.files, stage_html.empty_screen(example_prompts()[:OFFERED_EXAMPLES]), has_seed=True)

    # What the handlers change together.

    @property
    def advised(self) -> list[Any]:
        return [*super().advised, self.warning, *(menu.component for menu in self.menus)]

    def advice(self, values: Mapping[str, Any], owner: str) -> Updates:
        asked = [{**values, "prompt": some_prompt(values)}]
        return {
            self.warning: prompt_warning(str(values.get("prompt") or ""), str(values.get("model"))),
            self.settings_advice: settings_advice(TASK, values),
            self.estimate: estimate_line(self.queue, TASK, asked, owner, length_words(values)),
        }

    def _menus(self, values: Mapping[str, Any], offer: bool = False) -> Updates:
        return {one: change for menu in self.menus for one, change in menu.update(values, offer).items()}

    def settled(self, values: Mapping[str, Any], owner: str, offer: bool = False) -> Updates:
        return self._menus(values, offer) | self.kept(values, owner)

    # Handlers.

    def follow_with_menus(self, *given: Any) -> Updates:
        """Only after an edit of the fields that they stand for: an answer to any other edit could come just after a
        person has chosen from a menu, and set it back."""
        return self._menus(self.form.values(given))

    def _chooses_from(self, menu: ModelMenu) -> Callable[..., Updates]:
        """What an entry of the menu stands for goes into its fields; "Custom" shows them."""

        def choose(request: gr.Request, entry: str, *given: Any) -> Updates:
            values = self.form.values(given)
            fields = menu.chosen(entry, values["model"])
            if not fields:
                return {self.advanced: gr.update(open=True)}
            return self.form.changed(fields) | self.settled(values | fields, owner_of(request))

        return choose

    def choose_model(self, request: gr.Request, *given: Any) -> Updates:
        """Another model brings its own defaults; prompt and seed stay."""
        values = self.form.values(given)
        card = catalogue().get(values["model"])
        return self.filled(values | (card.defaults.model_dump() if card else {}), owner_of(request))

    # Events.

    def wire(self, opens: Callable[..., Any]) -> None:
        super().wire(opens)
        outputs = [*self.form.outputs, *self.advised]
        edits = [self.form.components[name].input for menu in self.menus for name in menu.fields]
        menus = [menu.component for menu in self.menus]
        gr.on(edits, self.follow_with_menus, self.form.inputs, menus, trigger_mode="always_last", **BESIDE_THE_QUEUE)
        for menu in self.menus:
            menu.component.input(
                self._chooses_from(menu),
                [menu.component, *self.form.inputs],
                [*outputs, self.advanced],
                **BESIDE_THE_QUEUE,
            )
        self.form.components["model"].select(self.choose_model, self.form.inputs, outputs, **BESIDE_THE_QUEUE)
        sized = [self.form.components[name] for name in ("model", "width", "height", "frames")]
        gr.on(
            [one.change for one in sized], memory_line, sized, self.memory_needed,
            trigger_mode="always_last", **BESIDE_THE_QUEUE,
        )  # fmt: skip
        # What the dice and a menu set counts as an edit.
        before = [self.form.has_error, self.memory.is_back]
        rolled = self.form.dice["seed"].click(_roll, None, self.form.components["seed"], **BESIDE_THE_QUEUE)
        rolled.then(self.edited, [*before, *self.form.inputs], outputs, **BESIDE_THE_QUEUE)


def _roll() -> int:
    return random.randint(0, LARGEST_SEED)
