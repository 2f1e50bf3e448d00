"""Brings a form back as it was left, without taking away what a person typed while the page was still loading."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from studio.form import Form
from studio.jobs.queue import JobQueue

# Runs in the browser, so that no round trip lies between looking at a field and filling it: a field that was touched
# (framewright.js notes which) or that no longer holds its default stays. An empty number field may say 0.
KEEP_TYPED = """(kept, ...now) => {
    if (!kept) return now;
    const {values, defaults, ids} = JSON.parse(kept);
    const touched = window.framewrightTouched || new Set();
    const empty = (value) => value === null || value === "";
    const same = (one, other) => JSON.stringify(one) === JSON.stringify(other) || (empty(one) && empty(other))
        || (!one && other === null);
    const untouched = (value, i) => !touched.has(ids[i]) && same(value, defaults[i]);
    return now.map((value, i) => untouched(value, i) ? values[i] : value);
}"""


class FormMemory:
    """The form's values in the library, one set for each owner.

    Args:
        form: Complete: all its components are made.
        queue: Keeps the values.

    Attributes:
        kept: Carries the values of the last time to the browser.
        is_back: False until they are in the form; what is edited before that is not the whole form yet.
    """

    def __init__(self, form: Form, queue: JobQueue) -> None:
        self.form = form
        self.queue = queue
        self.kept: Any = gr.Textbox(visible="hidden", elem_id=f"{form.task}-kept", label="Values of the last time")
        self.is_back = gr.State(False)

    def save(self, owner: str, values: Mapping[str, Any]) -> None:
        self.queue.save_form(owner, self.form.task, {name: values[name] for name in self.form.names})

    def recall(self, owner: str) -> dict[Any, Any]:
        """Updates that send the values to the browser, and menus that can show them."""
        defaults = self.form.defaults()
        values = defaults | (self.queue.load_form(owner, self.form.task) or {})
        names = self.form.names
        kept = {
            "values": [values[name] for name in names],
            "defaults": [defaults[name] for name in names],
            "ids": [component.elem_id for component in self.form.inputs],
        }
        return {self.kept: json.dumps(kept), **self.form.offered(values)}

    @property
    def outputs(self) -> list[Any]:
        """What `recall` updates."""
        return [self.kept, *self.form.inputs]

    def fill_after(self, event: Any, then: Callable[..., Any], outputs: list[Any], **options: Any) -> Any:
        """After an event that gave out `recall`: the browser fills the form, then `then(*values)` is called.

        Returns: that last event.
        """
        fields = self.form.inputs
        filled = event.then(None, [self.kept, *fields], fields, js=KEEP_TYPED, **options)
        return filled.then(then, fields, [*outputs, self.is_back], **options)
