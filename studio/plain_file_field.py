"""A field of a form that holds one file that is not looked at: weights, or sound."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from engines.errors import UserError
from studio.events import BESIDE_THE_QUEUE
from studio.owned_files import OwnedFiles
from studio.owner import owner_of
from studio.plain_files import Check
from studio.uploaded_field import Updates, UploadedField


class PlainFileField(UploadedField):
    """A button to choose the file, its name, and a button to go on without.

    Args:
        task, name, label, owned: As of UploadedField.
        help_text: What may be chosen.
        check: Raises a UserError for a file that is not of the kind.
    """

    def __init__(self, task: str, name: str, label: str, help_text: str, owned: OwnedFiles, check: Check) -> None:
        self.check = check
        super().__init__(task, name, label, owned)
        with gr.Column(elem_classes=["file-field", "weights"], elem_id=f"{self.key}-field"):
            self.shown: Any = gr.HTML(self._says(""), elem_id=f"{self.key}-shown", apply_default_css=False)
            self.help = gr.HTML(f'<p class="field-help">{escape(help_text)}</p>', apply_default_css=False)
            self.lay_out_message()
            with gr.Row(elem_classes=["file-actions"]):
                self.choose: Any = gr.UploadButton(
                    "Choose a file", file_count="single", size="sm", elem_id=f"{self.key}-choose", min_width=110
                )
                self.remove = gr.Button(
                    "Remove", size="sm", visible=False, elem_id=f"{self.key}-remove", min_width=110
                )  # fmt: skip
            self.lay_out_value()

    def _says(self, name: str) -> str:
        chosen = f" <span>{escape(name)}</span>" if name else ""
        return f'<p class="field-name"><strong>{escape(self.label)}</strong>{chosen}</p>'

    # Handlers.

    def take(self, request: gr.Request, given: str) -> Updates:
        """A file came: kept if it is of the kind, else it is said what it should be."""
        try:
            self.check(Path(given), self.name)
            kept = self.owned.uploads.keep(Path(given), owner_of(request))
        except UserError as error:
            return self.error(str(error))
        return self.error("") | {self.value: str(kept)}

    def refresh(self, request: gr.Request, lines: str) -> Updates:
        """The value changed."""
        try:
            paths = self.paths({self.name: lines}, owner_of(request))
        except UserError as error:
            return self.error(str(error)) | {self.shown: self._says(""), self.remove: gr.update(visible=True)}
        return {self.shown: self._says(paths[0].name if paths else ""), self.remove: gr.update(visible=bool(paths))}

    # Events.

    @property
    def _outputs(self) -> list[Any]:
        return [self.shown, self.remove, self.message]

    def show_after(self, event: Any) -> None:
        event.then(self.refresh, self.value, self._outputs, **BESIDE_THE_QUEUE)

    def wire(self) -> None:
        self.choose.upload(self.take, self.choose, [self.message, self.value], **BESIDE_THE_QUEUE)
        self.value.change(self.refresh, self.value, self._outputs, trigger_mode="always_last", **BESIDE_THE_QUEUE)
        self.remove.click(self.removed, None, [self.value, self.message], **BESIDE_THE_QUEUE)
