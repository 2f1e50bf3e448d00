"""Which thing is meant, said by clicking on frames: the component group that reads and writes the field `marks`.

The textbox of `marks` is the truth and part of the form; it is folded away. What is clicked is written there, whatever
else sets it (typing, the form of last time, settings that are used again) is drawn into the frame.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, TypedDict

import gradio as gr

from engines.errors import InvalidRequest, UserError
from engines.footage.video import VideoFootage
from engines.selection.marks import Kind
from engines.task import parse_request
from engines.video_editing.check import open_video
from engines.video_editing.request import VideoEditingRequest
from engines.video_editing.selected import marks_of
from studio.events import BESIDE_THE_QUEUE
from studio.form import Form
from studio.mark_clicks import MEANINGS, Drawn, Place, clicked, corner_of, undone
from studio.mark_pad import Pad
from studio.mark_picture import mark_picture, shown_size
from studio.owner import owner_of
from studio.theme import STATIC
from studio.uploaded_field import Updates

NAME = "marks"
SCRIPT = (STATIC / "mark_field.js").read_text(encoding="utf-8")
# What decides how a frame looks, besides its number.
READ = ("video", "start", "end", "deinterlace", NAME)
LATEST: dict[str, Any] = {**BESIDE_THE_QUEUE, "trigger_mode": "always_last"}
NO_VIDEO = "Bring a video first; its frames appear here."


class View(TypedDict):
    """What the browser was shown last: a digest of it, the frame's number, the clip's length and size, and the
    picture's width. A count of 0 stands for nothing."""

    digest: str
    frame: int
    count: int
    height: int
    width: int
    shown_width: int


NOTHING = View(digest="", frame=0, count=0, height=0, width=0, shown_width=0)


class MarkForm(Form):
    """A form with a mark field: what is wrong with the marks also stands below the frame."""

    mark_field: MarkField

    @property
    def outputs(self) -> list[Any]:
        return [*super().outputs, self.mark_field.message]

    def filled(self, values: Mapping[str, Any]) -> Updates:
        return super().filled(values) | self.mark_field.error("")

    def with_error(self, name: str, message: str) -> Updates:
        return super().with_error(name, message) | self.mark_field.error(message if name == NAME else "")

    def without_errors(self) -> Updates:
        return super().without_errors() | self.mark_field.error("")


class MarkField:
    """Lays the group out in the current block, and two hidden texts beside it.

    Args:
        form: Holds the field of the video; gets the field `marks`.

    Attributes:
        block: The group, which its tab shows and hides.
        message: What is wrong with the marks, as the form says it.
        wanted: A hidden text that tells the page when to draw anew; a tab sets it with `looked_at`.
    """

    def __init__(self, form: MarkForm) -> None:
        form.mark_field = self
        self.form, key = form, f"{form.task}-mark"
        with gr.Column(elem_classes=["file-field", "mark-field"], elem_id=key, visible=False) as self.block:
            self.meaning: Any = gr.Radio(
                MEANINGS, value="click", label="What a click means",
                info="Click on the thing in the picture below. A brush joins its clicks to one stroke; “not this” "
                "takes away what was tinted by mistake.",
                elem_id=f"{key}-meaning", elem_classes=["mark-meaning"], interactive=True,
            )  # fmt: skip
            self.picture: Any = gr.Image(
                label="Which thing", show_label=False, interactive=False, buttons=[], elem_id=f"{key}-frame",
                alt_text="The chosen frame; what is marked is tinted.",
            )  # fmt: skip
            self.said: Any = gr.HTML("", js_on_load=SCRIPT, elem_id=f"{key}-said", apply_default_css=False)
            self.message: Any = gr.HTML("", elem_id=f"{key}-message", apply_default_css=False)
            self.frame: Any = gr.Slider(
                0, 1, value=0, step=1, precision=0, label="Frame", visible=False,
                info="Counted from the in point. Marks on one frame are mostly enough.",
                elem_id=f"{key}-number", elem_classes=["field"], interactive=True,
            )  # fmt: skip
            with gr.Row(elem_classes=["file-actions"]):
                self.undo = gr.Button("Undo", size="sm", elem_id=f"{key}-undo", min_width=110)
                self.clear = gr.Button("Clear", size="sm", elem_id=f"{key}-clear", min_width=110)
            with gr.Accordion("Marks as text", open=False, elem_id=f"{key}-text"):
                (self.text,) = form.add(NAME)
        self.draft: Any = gr.Textbox(visible="hidden", elem_id=f"{key}-draft", label="The click before")
        self.wanted: Any = gr.Textbox(visible="hidden", elem_id=f"{key}-wanted", label="The marks that are shown")
        self.view: Any = gr.State(NOTHING)
        self.pad: Any = gr.State(Pad())

    def error(self, message: str) -> Updates:
        """The form's message below the frame; "" takes it away."""
        return {self.message: _wrong(message)}

    def forgets(self) -> Updates:
        """What goes with a new video: marks say nothing about it."""
        return {self.text: "", self.draft: ""}

    def looked_at(self, values: Mapping[str, Any], shown: bool) -> Updates:
        """Has the frame drawn anew if these values change it and the group is shown."""
        return {self.wanted: _digest([values.get(name) for name in READ]) if shown else ""}

    # Handlers.

    def click(self, pad: Pad, meaning: Kind, draft: str, view: View, text: str, event: gr.SelectData) -> Updates:
        """A click on the frame that is shown."""
        if not view["count"]:
            return {self.draft: draft}
        scale = view["width"] / view["shown_width"]
        x, y = (int((float(place) + 0.5) * scale) for place in event.index)
        place = (min(max(0, x), view["width"] - 1), min(max(0, y), view["height"] - 1))
        return self._written(pad, text, draft, lambda drawn: clicked(drawn, meaning, view["frame"], place))

    def undo_click(self, pad: Pad, draft: str, text: str) -> Updates:
        """Takes the last click back and shows the frame that it was on."""
        frames: list[int | None] = []

        def undo(drawn: Drawn) -> Drawn:
            left, frame = undone(drawn)
            frames.append(frame)
            return left

        written = self._written(pad, text, draft, undo)
        return written | ({self.frame: gr.update(value=frames[0])} if frames and frames[0] is not None else {})

    def clear_all(self, pad: Pad) -> Updates:
        pad.forget()
        return self.forgets()

    def _written(self, pad: Pad, text: str, draft: str, change: Callable[[Drawn], Drawn]) -> Updates:
        """The changed marks. Text that cannot be read stays as it is; what is wrong with it stands below the frame."""
        try:
            made, left = pad.goes_on(text or "", draft or "", marks_of, change)
        except InvalidRequest:
            return {self.draft: ""}
        return {self.text: made, self.draft: left}

    def move(self, request: gr.Request, wanted: str, view: View, frame: float, *given: Any) -> Updates:
        """Another frame is chosen; whatever was begun on the last one ends."""
        return self._drawn_anew(owner_of(request), wanted, view, frame, None, given) | {self.draft: ""}

    def draw(
        self, request: gr.Request, pad: Pad, wanted: str, view: View, frame: float, draft: str, *given: Any
    ) -> Updates:
        """Shows the frame, unless it is shown already, with the newest marks."""
        shown = (given[-1] or "", draft or "")
        text, draft = pad.latest(*shown)
        made = self._drawn_anew(owner_of(request), wanted, view, frame, corner_of(draft), [*given[:-1], text])
        # Drawing takes its time, and meanwhile there may have been more clicks.
        text, draft = pad.latest(*shown)
        newer = {} if (text, draft) == shown else {self.text: text, self.draft: draft}
        skipped: Updates = gr.skip()
        return made | newer or skipped

    def _drawn_anew(
        self, owner: str, wanted: str, view: View, frame: float, corner: Place | None, given: Sequence[Any]
    ) -> Updates:
        values, digest = dict(zip(READ, given, strict=True)), _digest([*given, frame, corner])
        if not wanted or digest == view["digest"]:
            return {}
        try:
            source = self._source(values, owner)
            if source is None:
                return self._shows_nothing(_status(NO_VIDEO))
            number = min(max(0, int(frame or 0)), source.count - 1)
            made = mark_picture(source, str(values[NAME] or ""), corner, number)
        except UserError as error:
            return self._shows_nothing(_wrong(str(error)))
        seen = View(
            digest=digest, frame=number, count=source.count, height=source.height, width=source.width,
            shown_width=shown_size(source.height, source.width)[1],
        )  # fmt: skip
        said = _wrong(made.wrong) or _status(made.said)
        return {self.picture: made.picture, self.said: said, self.view: seen} | self._range(view, seen, frame)

    def _source(self, values: Mapping[str, Any], owner: str) -> VideoFootage | None:
        """The part of the video that is meant, of several the first, whole. Raises: UserError."""
        paths = self.form.files["video"].paths(values, owner)
        if not paths:
            return None
        part = {name: values[name] for name in ("start", "end")} if len(paths) == 1 else {}
        fields = {"video": str(paths[0]), "deinterlace": values["deinterlace"], **part}
        return open_video(parse_request(VideoEditingRequest, fields))

    def _range(self, before: View, seen: View, frame: float) -> Updates:
        """The slider, if the clip has another length than the last one or no such frame."""
        if before["count"] == seen["count"] and frame == seen["frame"]:
            return {}
        last = max(1, seen["count"] - 1)
        return {self.frame: gr.update(maximum=last, value=seen["frame"], visible=seen["count"] > 1)}

    def _shows_nothing(self, said: str) -> Updates:
        hidden = gr.update(value=0, visible=False)
        return {self.picture: None, self.said: said, self.view: NOTHING, self.frame: hidden}

    # Events.

    def wire(self) -> list[Any]:
        """Connects the handlers. Returns: the events after which a person changed the marks."""
        written = [self.text, self.draft]
        drawn_on = self.picture.select(
            self.click, [self.pad, self.meaning, self.draft, self.view, self.text], written, trigger_mode="multiple",
            **BESIDE_THE_QUEUE,
        )  # fmt: skip
        taken_back = self.undo.click(
            self.undo_click, [self.pad, self.draft, self.text], [*written, self.frame], **BESIDE_THE_QUEUE
        )
        cleared = self.clear.click(self.clear_all, self.pad, written, **BESIDE_THE_QUEUE)
        self.meaning.input(lambda: "", None, self.draft, **BESIDE_THE_QUEUE)
        read, shown = [self.form.components[name] for name in READ], self._shown
        self.frame.input(self.move, [self.wanted, self.view, self.frame, *read], shown, **LATEST)
        seen = [self.wanted.change, self.draft.change]
        room = _room_of(self.block)
        if room is not None:
            # What was set while the tab was closed changed unheard.
            seen.append(room.select)
        gr.on(seen, self.draw, self._looks_at, shown, **LATEST)
        return [event.then(self.draw, self._looks_at, shown, **LATEST) for event in (drawn_on, taken_back, cleared)]

    def show_after(self, event: Any) -> None:
        """Draws after an event that set the values while the tab was closed: no change is heard there."""
        event.then(self.draw, self._looks_at, self._shown, **LATEST)

    @property
    def _looks_at(self) -> list[Any]:
        return [
            self.pad,
            self.wanted,
            self.view,
            self.frame,
            self.draft,
            *(self.form.components[name] for name in READ),
        ]

    @property
    def _shown(self) -> list[Any]:
        return [self.picture, self.said, self.frame, self.view, self.text, self.draft]


def _room_of(block: Any) -> Any:
    """The tab of the page that a block lies in, None if it lies in none."""
    while block is not None and not isinstance(block, gr.Tab):
        block = block.parent
    return block


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, default=str).encode()).hexdigest()[:16]


def _wrong(message: str) -> str:
    return f'<p class="field-error" role="alert">{escape(message)}</p>' if message else ""


def _status(said: str) -> str:
    return f'<p class="field-help" role="status">{escape(said)}</p>'
