"""The Edit tab: change what a clip shows by words, or what is behind a thing; take a thing away, or move it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from engines.adapters import CONTROL, WORD_SELECTION, Adapter
from engines.backend.catalogue import Feature
from engines.composition.editing.request import FinishedVideoEditingRequest
from engines.errors import InvalidRequest
from engines.task import parse_request, request_class
from engines.video_editing.check import open_video
from engines.video_editing.selected import marks_of
from studio import source_prompt
from studio.edge_preview import EdgePreview
from studio.events import BESIDE_THE_QUEUE
from studio.file_field import FileField
from studio.files import FileServer
from studio.form import Choices
from studio.jobs.queue import JobQueue
from studio.mark_clicks import text_of
from studio.mark_field import MarkField, MarkForm
from studio.mask_field import MaskField
from studio.owned_files import OwnedFiles
from studio.prompt_advice import catalogue, models_with
from studio.tabs.footage_tab import FootageTab
from studio.tabs.job_watch import Updates
from studio.trials import TRIAL_SECONDS

CHOICES: dict[str, Choices] = {
    "mode": [
        ("Change what it shows, by words", "words"), ("Another style, frame by frame", "restyle"),
        ("A new clip that follows this one", "follow"),
        ("Make a part anew, by words", "region"),
        ("Show more beyond the borders, by words", "extend"), ("Another background", "background"),
        ("Remove a thing", "remove"), ("Move, scale or copy a thing", "move"),
    ],
    "canvas": [("Wide, 16 : 9", "wide"), ("Tall, 9 : 16", "tall"), ("Square", "square")],
    "selection": [
        ("People", "people"), ("What I name", "words"), ("What I mark", "marks"), ("A mask file", "mask"),
    ],
    "follow": [
        ("Its edges", "edges"), ("The shape of a thing", "shape"), ("Its depth, from a video that I bring", "depth"),
    ],
    "background": [("Blurred", "blur"), ("One colour", "colour"), ("Another picture", "picture")],
    "steadiness": [
        ("The clean picture before it", "estimates"), ("What the model asked there", "queries"),
        ("The noisy state", "latents"), ("Nothing, but it is seen", "keys"), ("Nothing at all", "nothing"),
    ],
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
LABELS = {
    "mode": "What to do", "canvas": "Shape of the picture", "selection": "Which thing", "thing": "Its name",
    "change": "How much changes", "steadiness": "What is carried from frame to frame",
    "follow": "What is followed", "closely": "How closely", "hold": "Hold what both prompts agree on",
    "finish": "Let a model that knows the clip finish it", "enlarge": "Larger and smoother",
    "background": "What becomes of the background", "blur": "How strongly", "move_right": "To the right",
    "move_down": "Down", "scale": "How large", "copy_thing": "Leave the thing where it is, too",
}  # fmt: skip
# Part of the page → the fields in it. Which parts are shown: `shown_parts`.
PARTS: dict[str, tuple[str, ...]] = {
    "canvas": ("canvas",),
    "prompt": ("prompt", "seed", "enlarge"),
    "source": ("source_prompt",),
    "how": ("guidance_scale", "steps", "model"),
    "change": ("change",),
    "steady": ("steadiness",),
    "follow": ("follow",),
    "edges": (),
    "closely": ("closely",),
    "depth": ("depth",),
    "inverted": ("hold", "kept_steps", "strength", "method", "solver", "report"),
    "thing": ("selection",),
    "words": ("thing",),
    "marks": ("marks",),
    "mask": ("mask",),
    "background": ("background",),
    "blur": ("blur",),
    "colour": ("colour",),
    "picture": ("picture",),
    "move": ("move_right", "move_down", "scale", "copy_thing"),
    "finish": ("finish",),
}
# What there is to do → the parts that it needs; of `thing` and `background` further ones by what is chosen there.
NEEDS: dict[str, tuple[str, ...]] = {
    "words": ("prompt", "source", "how", "inverted"),
    "restyle": ("prompt", "how", "change", "steady"),
    "follow": ("prompt", "how", "follow", "closely"),
    "region": ("prompt", "how", "thing"),
    "extend": ("canvas", "prompt", "how"),
    "background": ("thing", "background"),
    "remove": ("thing", "finish"),
    "move": ("thing", "move", "finish"),
}
# What is followed → what has to be said for it.
FOLLOWED = {"edges": {"edges"}, "shape": {"thing"}, "depth": {"depth"}}
# What a model needs to finish what was moved or taken away.
FINISHING = {"prompt", "how", "change"}


def shown_parts(values: Mapping[str, Any]) -> set[str]:
    """Those that say something about what is done with the clip."""
    shown = set(NEEDS.get(str(values.get("mode")), ()))
    if "follow" in shown:
        shown |= FOLLOWED.get(str(values.get("follow")), set())
    if "finish" in shown and values.get("finish"):
        shown |= FINISHING
    chosen = {str(values.get(menu)) for part, menu in (("thing", "selection"), ("background",) * 2) if part in shown}
    return shown | (chosen & set(PARTS))


class EditTab(FootageTab):
    """Video editing.

    Args:
        queue: Where requests go.
        files: Serves results.
        owned: Keeps the files that are brought.
    """

    task_name = "video_editing"
    tab_title = "Edit"

    form: MarkForm

    def __init__(self, queue: JobQueue, files: FileServer, owned: OwnedFiles) -> None:
        able = {"mode": _able("mode", "follow", CONTROL), "selection": _able("selection", "words", WORD_SELECTION)}
        form = MarkForm(request_class(self.task_name), {**CHOICES, **able, "model": models_with(Feature.TEXT_TO_VIDEO)})
        super().__init__(self.tab_title, "Edit", form, queue, files, owned)

    def lay_out_main(self) -> None:
        add = self.form.add
        add("mode")
        with gr.Group(visible=False) as follow:
            add("follow")
        with gr.Column(visible=False) as edges:
            self.edges = EdgePreview(self.task)
        with gr.Column(visible=False) as depth:
            self.depth = MaskField(
                self.task, "depth", "The depth, near in white: a picture or a video", False, self.owned, self.files
            )
            self.form.adopt_file(self.depth)
        with gr.Group(visible=False) as thing:
            add("selection")
        with gr.Group(visible=False) as words:
            add("thing")
        self.marks = MarkField(self.form)
        with gr.Column(visible=False) as mask:
            self.mask = MaskField(self.task, "mask", "The mask: a picture or a video", False, self.owned, self.files)
            self.form.adopt_file(self.mask)
        with gr.Group(visible=False) as canvas:
            add("canvas")
        with gr.Group(visible=False) as move:
            add("move_right", "move_down", "scale", "copy_thing")
        with gr.Group(visible=False) as finish:
            add("finish")
        with gr.Group() as prompt:
            add("prompt")
            with gr.Group() as source:
                add("source_prompt")
            add("seed", "enlarge")
        with gr.Accordion("How it is edited", open=False, elem_id=f"{self.task}-how") as how:
            with gr.Group(visible=False) as change:
                add("change")
            with gr.Group(visible=False) as steady:
                add("steadiness")
            with gr.Group(visible=False) as closely:
                add("closely")
            with gr.Group() as inverted:
                add("hold", "kept_steps", "strength", "method", "solver", "report")
            add("guidance_scale", "steps", "model")
        with gr.Group(visible=False) as background:
            add("background")
        with gr.Group(visible=False) as blur:
            add("blur")
        with gr.Group(visible=False) as colour:
            add("colour")
        with gr.Column(visible=False) as picture:
            self.add_file("picture", "The picture for the background")
        self.parts: dict[str, Any] = {
            "canvas": canvas, "prompt": prompt, "source": source, "how": how, "change": change, "steady": steady,
            "follow": follow, "finish": finish,
            "closely": closely, "edges": edges, "depth": depth,
            "inverted": inverted, "thing": thing, "words": words, "marks": self.marks.block, "mask": mask,
            "background": background, "blur": blur, "colour": colour, "picture": picture, "move": move,
        }  # fmt: skip
        self._say_it_plainly()

    def _say_it_plainly(self) -> None:
        fields = self.form.components
        for name, label in LABELS.items():
            fields[name].label = label
        fields["prompt"].placeholder = "a rabbit bounces in the snow"
        fields["thing"].placeholder = "the fox"
        fields["source_prompt"].placeholder = "a fox bounces in the snow"
        video = self.form.files["video"]
        assert isinstance(video, FileField)
        video.resets |= self.marks.forgets()
        source = fields[source_prompt.FIELD]
        video.learning = [source]
        video.learns = lambda path: {source: said} if (said := source_prompt.prompt_in(path)) else {}
        for field in self.form.files.values():
            # A file field of a tab that is still closed says null; the form of last time then took it for a new value.
            field.value.value = ""

    @property
    def advised(self) -> list[Any]:
        return [*super().advised, *self.parts.values(), self.marks.wanted, *self.edges.outputs]

    def requests(self, values: Mapping[str, Any], owner: str) -> list[dict[str, Any]]:
        """What is not shown stands at its default: nobody could see what is wrong with it."""
        shown = shown_parts(values)
        hidden = {name for part, fields in PARTS.items() if part not in shown for name in fields}
        defaults = self.form.defaults()
        return super().requests({**values, **{name: defaults[name] for name in hidden}}, owner)

    def _trial_part(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Marks behind the seconds that are tried are left out, too."""
        part: dict[str, Any] = super()._trial_part(fields)
        marks = marks_of(fields["marks"])
        if "marks" not in shown_parts(fields) or not marks:
            return part
        tried = open_video(parse_request(FinishedVideoEditingRequest, {**fields, **part}))
        kept = [mark for mark in marks if mark.frame < tried.count]
        if not kept:
            raise InvalidRequest(
                f"The first mark is on frame {min(mark.frame for mark in marks)}, behind the {TRIAL_SECONDS:g} seconds "
                "that are tried.",
                f"Mark one of the frames 0 to {tried.count - 1}, or press {self.verb}.",
                "marks",
            )
        return {**part, "marks": text_of(kept)}

    def advice(self, values: Mapping[str, Any], owner: str) -> Updates:
        shown = shown_parts(values)
        visible = {block: gr.update(visible=part in shown) for part, block in self.parts.items()}
        drawn = self.edges.drawn(lambda: self.requests(values, owner)[0] if "edges" in shown else None)
        return super().advice(values, owner) | visible | self.marks.looked_at(values, "marks" in shown) | drawn

    def wire(self, opens: Callable[..., Any]) -> None:
        super().wire(opens)
        asked = [self.form.has_error, self.memory.is_back, *self.form.inputs]
        for event in self.marks.wire():
            # The text of the marks is folded away and heard by nobody there.
            event.then(self.edited, asked, [*self.form.outputs, *self.advised], trigger_mode="always_last",
                       **BESIDE_THE_QUEUE)  # fmt: skip
        self.marks.show_after(self.back)


def _able(menu: str, choice: str, adapter: Adapter) -> Choices:
    """The menu's choices; the one that needs an adapter only where a model that is here has it."""
    able = any(adapter.is_here(card) for card in catalogue().values())
    return [(label, value) for label, value in CHOICES[menu] if able or value != choice]
