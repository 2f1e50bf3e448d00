"""The Storyboard tab: scenes in lines of text, shown on a time line, become one film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from engines.backend.catalogue import Feature
from engines.composition.storyboard.script import parse_script, write_script
from engines.errors import UserError
from engines.task import request_class
from studio import stage_html
from studio.files import FileServer
from studio.form import Choices, Form
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.prompt_advice import models_with
from studio.stage import Stage
from studio.tabs.files_tab import FilesTab
from studio.tabs.job_watch import Updates
from studio.time_line import time_line

EXAMPLE = (
    "2 s: a red fox bounces on a green field\n"
    "continue 2 s: a red fox spins on a green field\n"
    "crossfade 2 s: a robot slides to the right in the snow | Later"
)
CHOICES: dict[str, Choices] = {
    "goes_on": [
        ("Each part is given the end of the one before", "chained"),
        ("Side by side, each looking at the one before (DiTCtrl)", "shared keys"),
        ("Side by side, averaged", "blended"),
    ]
}
LABELS = {
    "goes_on": "How a take goes on", "crossfade_seconds": "Crossfade, seconds", "music_fade_seconds": "Fades, seconds",
    "loudness": "Loudness, LUFS",
}  # fmt: skip
PREVIEW_SECONDS = 0.7  # of each scene: what the bundled model makes at once


class StoryboardTab(FilesTab):
    """Storyboards. Arguments: as of FilesTab."""

    task_name = "storyboard"
    tab_title = "Storyboard"
    frame_field = "pictures"
    trial_label = "Preview the scenes"

    def __init__(self, queue: JobQueue, files: FileServer, owned: OwnedFiles) -> None:
        form = Form(
            request_class(self.task_name),
            {**CHOICES, "model": models_with(Feature.TEXT_TO_VIDEO, Feature.TOKEN_TIMESTEPS)},
        )
        super().__init__(self.tab_title, "Render", form, queue, files, owned)

    def lay_out_controls(self) -> None:
        script = gr.Textbox(
            label="Scenes", lines=6, max_lines=16, placeholder=EXAMPLE, elem_id=f"{self.task}-scenes",
            elem_classes=["field", "scenes"], info=self.form.schema["scenes"]["description"],
        )  # fmt: skip
        self.form.adopt("scenes", script)
        self.time_line = gr.HTML("", elem_id=f"{self.task}-time-line", apply_default_css=False)
        with gr.Row(elem_classes=["basics"]):
            self.form.add("seed", "crossfade_seconds")
        self.form.add("finish")
        with gr.Accordion("Pictures that scenes begin or end with", open=False, elem_id=f"{self.task}-pictures-group"):
            self.add_file("pictures", "Pictures, numbered from 1 on")
        with gr.Accordion("Music", open=False, elem_id=f"{self.task}-music-group"):
            self.add_file("music", "Music")
            self.form.add("music_fade_seconds")
        for layer, title in (("look", "Look"), ("quality", "Quality"), ("advanced", "Advanced")):
            with gr.Accordion(title, open=False, elem_id=f"{self.task}-{layer}"):
                self.form.add_rest_of(layer)
        for name, label in LABELS.items():
            self.form.components[name].label = label

    def make_stage(self) -> Stage:
        return Stage(self.task, self.files, stage_html.empty_screen([EXAMPLE]), has_seed=True)

    # What the values stand for.

    @property
    def advised(self) -> list[Any]:
        return [*super().advised, self.time_line]

    def advice(self, values: Mapping[str, Any], owner: str) -> Updates:
        try:
            scenes = parse_script(str(values.get("scenes") or ""))
        except UserError:
            scenes = []
        return {**super().advice(values, owner), self.time_line: time_line(scenes)}

    def requests(self, values: Mapping[str, Any], owner: str) -> list[dict[str, Any]]:
        """Raises: InvalidRequest for a line that is no scene."""
        fields, _ = self.with_files(values, owner)
        return [{**fields, "scenes": parse_script(str(values.get("scenes") or ""))}]

    def filled(self, values: Mapping[str, Any], owner: str) -> Updates:
        """Scenes of a request become lines."""
        scenes = values.get("scenes") or ""
        return super().filled({**values, "scenes": scenes if isinstance(scenes, str) else write_script(scenes)}, owner)

    def _trial_part(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The beginning of every scene, cut to cut."""
        return {
            "scenes": [
                {**scene, "seconds": min(PREVIEW_SECONDS, scene["seconds"]), "transition": "cut"}
                for scene in fields["scenes"]
            ],
            "music": None,
        }
