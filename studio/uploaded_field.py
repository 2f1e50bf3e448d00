"""What every field of a form that holds a file has: its value, what is wrong with it, whose the files are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from engines.errors import InvalidRequest
from studio.owned_files import OwnedFiles
from studio.uploads import paths_of

Updates = dict[Any, Any]


class UploadedField(ABC):
    """A field whose value is a hidden text: the paths of files that the studio keeps, one a line.

    Args:
        task: Prefix of the element ids.
        name: The request's field.
        label: Above the place to drop a file.
        owned: Keeps files and knows whose they are.

    Attributes:
        value: The hidden text.
        message: What is wrong, beside the field.
    """

    value: Any
    message: Any

    def __init__(self, task: str, name: str, label: str, owned: OwnedFiles) -> None:
        self.task, self.name, self.label, self.owned = task, name, label, owned
        self.key = f"{task}-{name}"

    def lay_out_message(self) -> None:
        self.message = gr.HTML("", elem_id=f"{self.key}-message", apply_default_css=False)

    def lay_out_value(self) -> None:
        self.value = gr.Textbox(
            value="",
            visible="hidden",
            elem_id=self.key,
            label=f"{self.label}: files",
            elem_classes=["field", self.name],
        )

    def error(self, message: str) -> Updates:
        """The message beside the field; "" takes it away."""
        shown = f'<p class="field-error" role="alert">{escape(message)}</p>' if message else ""
        return {self.message: shown}

    def paths(self, values: Mapping[str, Any], owner: str) -> list[Path]:
        """The field's files. Raises: InvalidRequest for a path that is no file of this owner."""
        return [self.owned.check(path, owner, self.name) for path in paths_of(values.get(self.name))]

    def removed(self) -> Updates:
        """The field is empty again."""
        return {self.value: "", self.message: ""}

    @abstractmethod
    def wire(self) -> None:
        """Connects the handlers."""

    @abstractmethod
    def show_after(self, event: Any) -> None:
        """Shows the value after an event that set it while the field's tab was closed: no change is heard there."""


def required(name: str, noun: str) -> InvalidRequest:
    """The error for a file field that holds nothing."""
    return InvalidRequest(f"There is no {noun} yet.", "Choose a file, or drop one here.", field=name)
