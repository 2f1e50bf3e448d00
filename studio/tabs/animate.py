"""The Animate tab: a picture starts to move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from engines.backend.catalogue import Feature
from engines.errors import InvalidRequest, UserError
from engines.image_animation.keyframes import parse_seconds
from engines.task import request_class
from studio import stage_html
from studio.files import FileServer
from studio.form import Choices, Form
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.prompt_advice import catalogue, models_with
from studio.stage import Stage
from studio.tabs.files_tab import FilesTab
from studio.tabs.job_watch import Updates
from studio.tabs.task_tab import TAKES
from studio.time_line import moments
from studio.trials import TRIAL_SECONDS
from studio.uploaded_field import required

CHOICES: dict[str, Choices] = {
    "framing": [("Cut to the video's shape", "crop"), ("Whole, edges continued", "pad")],
    "method": [
        ("Words and picture together (STIV)", "joint guidance"), ("Words alone", "word guidance"),
        ("Begun at the picture (I2V-Adapter)", "picture prior"), ("Replacement", "replacement"),
    ],
}  # fmt: skip
LABELS = {
    "movement": "Keep the picture … let it move", "framing": "A picture of another shape", "frames": "Length in frames",
    "method": "How the picture is held to", "keyframe_seconds": "When they are reached, seconds",
}  # fmt: skip


class AnimateTab(FilesTab):
    """Image animation.

    Args:
        queue: Where requests go.
        files: Serves results.
        owned: Keeps the files that are brought.
    """

    task_name = "image_animation"
    tab_title = "Animate"
    frame_field = "picture"

    def __init__(self, queue: JobQueue, files: FileServer, owned: OwnedFiles) -> None:
        form = Form(
            request_class(self.task_name),
            {**CHOICES, "takes": TAKES, "model": models_with(Feature.FIRST_FRAME, Feature.TOKEN_TIMESTEPS)},
        )
        super().__init__(self.tab_title, "Animate", form, queue, files, owned)

    def lay_out_controls(self) -> None:
        self.add_file("picture", "The picture")
        with gr.Group(elem_classes=["prompt-group"]):
            self.form.add("prompt")
        self.form.add("movement")
        with gr.Row(elem_classes=["basics"]):
            self.form.add("frames", "seed", "takes")
        self.form.add("finish")
        with gr.Accordion("Pictures on the way, and to end with", open=False, elem_id=f"{self.task}-end"):
            self.add_file("keyframes", "Pictures that the video passes through")
            self.form.add("keyframe_seconds")
            self.moments = gr.HTML("", elem_id=f"{self.task}-moments", apply_default_css=False)
            self.add_file("end_picture", "The picture that the video ends with")
        for layer, title in (("look", "Look"), ("quality", "Quality"), ("advanced", "Advanced")):
            with gr.Accordion(title, open=False, elem_id=f"{self.task}-{layer}"):
                self.form.add_rest_of(layer)
        fields = self.form.components
        for name, label in LABELS.items():
            fields[name].label = label
        fields["prompt"].placeholder = "a fox bounces in the snow"
        for field in self.form.files.values():
            # A file field of a tab that is still closed says null; the form of last time then took it for a new value.
            field.value.value = ""

    def make_stage(self) -> Stage:
        return Stage(self.task, self.files, stage_html.empty_picture_screen(self.verb), has_seed=True)

    @property
    def advised(self) -> list[Any]:
        return [*super().advised, self.moments]

    def advice(self, values: Mapping[str, Any], owner: str) -> Updates:
        return {**super().advice(values, owner), self.moments: _moments(values)}

    def requests(self, values: Mapping[str, Any], owner: str) -> list[dict[str, Any]]:
        """Raises: InvalidRequest without a picture."""
        fields, found = self.with_files(values, owner)
        if not found["picture"]:
            raise required("picture", "picture")
        return [fields]

    def _trial_part(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """One version of TRIAL_SECONDS. Raises: InvalidRequest if that is no less than all."""
        card = catalogue().card(str(fields["model"]))
        frames = round(TRIAL_SECONDS * card.defaults.fps) + 1
        asked = int(fields["frames"])
        if asked <= frames:
            raise InvalidRequest(
                f"{asked} frames last {asked / card.defaults.fps:.1f} seconds, no longer than a trial.",
                f"Press {self.verb}.",
            )
        moments = parse_seconds(str(fields.get("keyframe_seconds") or ""))
        soon = [at for at in moments if round(at * card.defaults.fps) < frames - 1]
        return {
            "frames": frames, "takes": 1, "end_picture": None,
            "keyframes": list(fields.get("keyframes") or [])[: len(soon)],
            "keyframe_seconds": ", ".join(f"{at:g}" for at in soon),
        }  # fmt: skip


def _moments(values: Mapping[str, Any]) -> str:
    """The pictures' moments on a time line; "" while there are none, or the times are none."""
    try:
        seconds = parse_seconds(str(values.get("keyframe_seconds") or ""))
        length = int(values["frames"]) / catalogue().card(str(values["model"])).defaults.fps
    except (UserError, ValueError, TypeError, KeyError):
        return ""
    ends = bool(values.get("end_picture"))
    return moments([0.0, *seconds, *([length] if ends else [])], length) if seconds or ends else ""
