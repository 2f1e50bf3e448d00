"""The Edit tab: every field is there, and of the two ways to edit only the chosen one's fields are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from studio.files import FileServer
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.tabs.edit import EditTab
from studio.uploads import lines_of
from tests.studio.footage_files import clip


@pytest.fixture
def edit(queue: JobQueue, owned: OwnedFiles) -> EditTab:
    with gr.Blocks():
        return EditTab(queue, FileServer(), owned)


def shown(tab: EditTab, values: dict[str, Any]) -> dict[str, bool]:
    updates = tab.advice(values, "local")
    return {mode: all(updates[part]["visible"] for part in parts) for mode, parts in tab.parts.items()}


def test_every_field_of_the_request_is_on_the_page(edit: EditTab) -> None:
    assert set(edit.form.names) == set(edit.form.request_class.model_fields)


def test_only_the_chosen_way_is_shown(edit: EditTab) -> None:
    assert shown(edit, edit.form.defaults()) == {"words": True, "background": False}
    assert shown(edit, edit.form.defaults() | {"mode": "background"}) == {"words": False, "background": True}


def test_every_choice_of_the_request_has_its_words(edit: EditTab) -> None:
    for name in ("mode", "background", "solver", "method"):
        schema = edit.form.schema[name]
        assert {value for _, value in edit.form.choices[name]} == set(schema["enum"])


def test_what_is_said_of_a_clip_stands_below_the_form(edit: EditTab, owned: OwnedFiles, tmp_path: Path) -> None:
    kept = owned.uploads.keep(clip(tmp_path / "a.mp4"), "local")
    values = edit.form.defaults() | {"video": lines_of([kept]), "prompt": "an owl in the snow"}
    said = edit.advice(values, "local")[edit.settings_advice]
    assert "The model sees the clip in 96 × 96 pixels" in said
    assert "Without a source prompt" in said
