"""The Edit tab: every field is there, only what is chosen is shown, and clicks on a frame say which thing is meant."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from engines.adapters import CONTROL, WORD_SELECTION, Adapter
from engines.errors import InvalidRequest
from engines.footage.fields import ExportFields, FootageFields
from engines.media.clip import Clip
from engines.media.metadata import OutputRecord
from engines.media.writer import ClipWriter, write_clip
from engines.selection.overlay import TINT
from engines.video_editing.selected import marks_of
from studio.file_field import FileField
from studio.files import FileServer
from studio.jobs.queue import JobQueue
from studio.mark_field import NOTHING, READ
from studio.mark_pad import Pad
from studio.owned_files import OwnedFiles
from studio.tabs.edit import CHOICES, NEEDS, PARTS, EditTab, _able, shown_parts
from studio.uploads import lines_of
from tests.studio.footage_files import FPS, clip, frames, picture

ENLARGED = 5  # a clip of 96 × 64 is shown five times as large


@pytest.fixture
def edit(queue: JobQueue, owned: OwnedFiles) -> EditTab:
    with gr.Blocks():
        return EditTab(queue, FileServer(), owned)


class Clicker:
    """What the browser does with the mark field: it holds the texts and the view, and draws after every change."""

    def __init__(self, tab: EditTab, **values: Any) -> None:
        self.tab, self.field = tab, tab.marks
        self.values = tab.form.defaults() | {"mode": "remove", "selection": "marks"} | values
        self.pad = Pad()
        self.draft, self.view, self.number, self.shown = "", NOTHING, 0, np.zeros((1, 1, 3), np.uint8)
        self.said = self.taken("")

    def taken(self, draft: str | None = None) -> str:
        """Draws. Returns what is said below the frame."""
        wanted = self.tab.advice(self.values, "local")[self.field.wanted]
        self.draft = self.draft if draft is None else draft
        read = [self.values[name] for name in READ]
        updates: Any = self.field.draw(None, self.pad, wanted, self.view, self.number, self.draft, *read)  # type: ignore[arg-type]
        if self.field.view in updates:
            self.view, self.shown = updates[self.field.view], updates[self.field.picture]
            self.said = updates[self.field.said]
            self.number = updates.get(self.field.frame, {}).get("value", self.number)
            self.values["marks"] = updates.get(self.field.text, self.values["marks"])
            self.draft = updates.get(self.field.draft, self.draft)
        return self.said

    def click(self, meaning: Any, *place: int) -> str:
        event = gr.SelectData(None, {"index": [one * ENLARGED + 2 for one in place], "value": None})
        return self._written(self.field.click(self.pad, meaning, self.draft, self.view, self.values["marks"], event))

    def undo(self) -> str:
        return self._written(self.field.undo_click(self.pad, self.draft, self.values["marks"]))

    def go(self, frame: int) -> str:
        self.number = frame
        return self.taken("")

    def _written(self, updates: Any) -> str:
        self.values["marks"] = updates.get(self.field.text, self.values["marks"])
        self.number = updates.get(self.field.frame, {}).get("value", self.number)
        return self.taken(updates[self.field.draft])

    @property
    def marks(self) -> list[dict[str, Any]]:
        return json.loads(self.values["marks"] or "[]")

    def is_tinted(self, x: int, y: int) -> bool:
        """Whether a pixel of the clip is drawn as part of the thing, two fifths of the way to the tint or more."""
        colour = self.shown[y * ENLARGED + 2, x * ENLARGED + 2].astype(float)
        return bool(colour[2] > 80 and colour[0] > 130 and np.abs(colour - TINT).sum() < 300)


@pytest.fixture
def clicker(edit: EditTab, owned: OwnedFiles, tmp_path: Path) -> Clicker:
    """With the square at (0, 20) … (15, 35) of the first frame, 3 pixels further right in each one."""
    return Clicker(edit, video=lines_of([owned.uploads.keep(clip(tmp_path / "a.mp4", 2.0), "local")]))


# What is shown.


def visible(tab: EditTab, **values: Any) -> set[str]:
    updates = tab.advice(tab.form.defaults() | values, "local")
    return {part for part, block in tab.parts.items() if updates[block]["visible"]}


def test_every_field_of_the_request_is_on_the_page(edit: EditTab) -> None:
    assert set(edit.form.names) == set(edit.form.request_class.model_fields)


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({}, {"prompt", "source", "how", "inverted"}),
        ({"selection": "marks", "background": "picture"}, {"prompt", "source", "how", "inverted"}),
        ({"mode": "restyle", "selection": "words"}, {"prompt", "how", "change", "steady"}),
        ({"mode": "follow", "selection": "marks"}, {"prompt", "how", "closely", "follow", "edges"}),
        ({"mode": "follow", "follow": "depth"}, {"prompt", "how", "closely", "follow", "depth"}),
        (
            {"mode": "follow", "follow": "shape", "selection": "marks"},
            {"prompt", "how", "closely", "follow", "thing", "marks"},
        ),
        ({"mode": "region"}, {"prompt", "how", "thing"}),
        ({"mode": "region", "selection": "marks"}, {"prompt", "how", "thing", "marks"}),
        ({"mode": "extend", "selection": "marks"}, {"canvas", "prompt", "how"}),
        ({"mode": "background"}, {"thing", "background", "blur"}),
        ({"mode": "background", "background": "colour"}, {"thing", "background", "colour"}),
        ({"mode": "background", "background": "picture"}, {"thing", "background", "picture"}),
        ({"mode": "remove"}, {"thing", "finish"}),
        ({"mode": "remove", "selection": "words"}, {"thing", "words", "finish"}),
        ({"mode": "remove", "background": "picture", "selection": "marks"}, {"thing", "marks", "finish"}),
        ({"mode": "move", "selection": "mask"}, {"thing", "mask", "move", "finish"}),
        ({"mode": "move", "finish": True}, {"thing", "move", "finish", "prompt", "how", "change"}),
    ],
)
def test_only_what_the_chosen_way_needs_is_shown(edit: EditTab, values: dict[str, Any], parts: set[str]) -> None:
    assert visible(edit, **values) == parts
    assert shown_parts(edit.form.defaults() | values) == parts


def test_every_field_about_one_way_lies_in_a_part_that_comes_and_goes(edit: EditTab) -> None:
    always = {"mode", *FootageFields.model_fields, *ExportFields.model_fields}
    assert {name for fields in PARTS.values() for name in fields} == set(edit.form.names) - always
    assert set(NEEDS) == set(edit.form.schema["mode"]["enum"])
    assert set(edit.parts) == set(PARTS)
    for part, block in edit.parts.items():
        for name in PARTS[part]:
            above = edit.form.components[name]
            while above is not None and above is not block:
                above = above.parent
            assert above is block, f"{name} lies outside of “{part}”"


def test_every_choice_of_the_request_has_its_words(edit: EditTab) -> None:
    for name in ("mode", "canvas", "selection", "background", "solver", "method", "steadiness", "follow"):
        schema = edit.form.schema[name]
        assert {value for _, value in CHOICES[name]} == set(schema["enum"])
        if name not in ("mode", "selection"):
            assert edit.form.choices[name] == CHOICES[name]


@pytest.mark.parametrize(
    ("menu", "choice", "adapter"), [("mode", "follow", CONTROL), ("selection", "words", WORD_SELECTION)]
)
def test_what_needs_an_adapter_is_offered_only_where_a_model_has_it(
    monkeypatch: pytest.MonkeyPatch, menu: str, choice: str, adapter: Adapter
) -> None:
    for able in (True, False):
        monkeypatch.setattr(Adapter, "is_here", lambda self, card, able=able: able)
        assert (choice in {value for _, value in _able(menu, choice, adapter)}) == able


def test_the_edges_that_are_followed_are_shown(edit: EditTab, owned: OwnedFiles, tmp_path: Path) -> None:
    kept = owned.uploads.keep(clip(tmp_path / "a.mp4"), "local")
    values = edit.form.defaults() | {"video": lines_of([kept]), "mode": "follow"}
    shown = edit.advice(values, "local")[edit.edges.picture]
    assert shown["visible"]
    assert shown["value"].shape[:2] in {(384, 384), (384, 192), (192, 384)}
    assert 0 < (shown["value"] > 0).mean() < 0.5
    assert set(np.unique(shown["value"])) == {0, 255}
    for other in ({"mode": "words"}, {"follow": "depth"}, {"video": ""}):
        assert edit.advice(values | other, "local")[edit.edges.picture] == gr.update(visible=False)


def test_what_is_said_of_a_clip_stands_below_the_form(edit: EditTab, owned: OwnedFiles, tmp_path: Path) -> None:
    kept = owned.uploads.keep(clip(tmp_path / "a.mp4"), "local")
    values = edit.form.defaults() | {"video": lines_of([kept]), "prompt": "an owl in the snow"}
    said = edit.advice(values, "local")[edit.settings_advice]
    assert "The model sees and makes the clip in" in said
    assert "Without a source prompt" in said


def test_a_clip_of_the_studio_says_itself_what_it_shows(edit: EditTab, owned: OwnedFiles, tmp_path: Path) -> None:
    record = OutputRecord(framewright="0", request={"task": "image_animation", "prompt": "a fox spins"})
    made, other = tmp_path / "made.mp4", clip(tmp_path / "other.mp4")
    write_clip(made, Clip(np.zeros((5, 96, 96, 3), np.uint8), Fraction(24)), metadata=record)
    video, source = edit.form.files["video"], edit.form.components["source_prompt"]
    assert isinstance(video, FileField)
    assert video.take(None, [str(made)])[source] == "a fox spins"  # type: ignore[arg-type]
    assert source not in video.take(None, [str(other)])  # type: ignore[arg-type]
    assert source in video.learning


def test_what_is_not_shown_is_not_asked_for(edit: EditTab, owned: OwnedFiles, tmp_path: Path) -> None:
    kept = owned.uploads.keep(clip(tmp_path / "a.mp4"), "local")
    gone = {"picture": str(tmp_path / "gone.png"), "mask": str(tmp_path / "gone.mp4"), "steps": -3, "marks": "no marks"}
    values = edit.form.defaults() | gone | {"video": lines_of([kept]), "mode": "remove", "blur": 0.25}
    (request,) = edit.requests(values, "local")
    assert "picture" not in request
    assert "mask" not in request
    assert (request["steps"], request["marks"], request["blur"]) == (24, "", 0.5)
    (request,) = edit.requests(values | {"mode": "background", "selection": "marks"}, "local")
    assert (request["marks"], request["blur"]) == ("no marks", 0.25)


# Clicks.


def test_a_click_selects_what_it_touches(clicker: Clicker) -> None:
    assert "Click on the thing" in clicker.said
    said = clicker.click("click", 8, 28)
    assert clicker.marks == [{"frame": 0, "kind": "click", "points": [[8, 28]]}]
    assert "1 mark on frame 0." in said
    assert clicker.is_tinted(3, 23)
    assert not clicker.is_tinted(40, 28)


def test_two_clicks_are_a_box_that_both_pixels_belong_to(clicker: Clicker) -> None:
    before = clicker.shown
    assert "Now click on the opposite corner" in clicker.click("box", 18, 38)
    assert clicker.marks == []
    assert (clicker.shown != before).any(), "the first corner is seen"
    clicker.click("box", 0, 17)
    assert clicker.marks == [{"frame": 0, "kind": "box", "box": [0, 17, 19, 39]}]
    assert clicker.draft == ""
    assert clicker.is_tinted(8, 28)
    assert not clicker.is_tinted(40, 28)


def test_clicks_of_a_brush_are_one_stroke_until_something_else_is_chosen(clicker: Clicker) -> None:
    for x in (3, 6, 9):
        clicker.click("brush", x, 28)
    assert clicker.marks == [{"frame": 0, "kind": "brush", "points": [[3, 28], [6, 28], [9, 28]]}]
    clicker.taken("")  # as choosing another kind does
    clicker.click("brush", 9, 24)
    assert [len(mark["points"]) for mark in clicker.marks] == [3, 1]
    clicker.go(2)
    clicker.click("brush", 12, 24)
    assert [mark["frame"] for mark in clicker.marks] == [0, 0, 2]


def test_not_this_takes_away(clicker: Clicker) -> None:
    clicker.click("box", 0, 16)
    clicker.click("box", 60, 40)
    clicker.click("not brush", 13, 33)
    clicker.click("not brush", 13, 22)
    assert [mark["kind"] for mark in clicker.marks] == ["box", "not brush", "not brush"]
    assert [mark["points"] for mark in clicker.marks[1:]] == [[[13, 33]], [[13, 22]]]


def test_not_this_alone_is_refused_in_the_words_of_the_error(clicker: Clicker) -> None:
    assert "says only what does not belong to the thing" in clicker.click("not brush", 8, 28)
    assert 'role="alert"' in clicker.said


def test_a_box_too_small_is_said_below_the_frame(clicker: Clicker) -> None:
    clicker.click("box", 8, 28)
    assert "The box on frame 0 is 1 × 1 pixels" in clicker.click("box", 8, 28)
    assert "Click on the thing" in clicker.undo()


def test_undo_takes_back_one_click_at_a_time_and_shows_its_frame(clicker: Clicker) -> None:
    clicker.click("click", 8, 28)
    clicker.go(4)
    for x in (14, 20):
        clicker.click("brush", x, 28)
    clicker.go(9)
    clicker.click("box", 30, 30)
    clicker.undo()
    assert (clicker.draft, len(clicker.marks), clicker.view["frame"]) == ("", 2, 9)
    clicker.undo()
    assert (len(clicker.marks[1]["points"]), clicker.view["frame"]) == (1, 4)
    clicker.undo()
    assert len(clicker.marks) == 1
    clicker.undo()
    assert (clicker.values["marks"], clicker.view["frame"]) == ("", 0)
    clicker.undo()
    assert clicker.values["marks"] == ""


def test_clicks_faster_than_the_answers_are_all_kept(clicker: Clicker, monkeypatch: pytest.MonkeyPatch) -> None:
    clicker.click("click", 8, 28)
    shown = (clicker.draft, clicker.view, clicker.values["marks"])
    answers = []
    for x in (3, 6, 9):
        event = gr.SelectData(None, {"index": [x * ENLARGED, 28 * ENLARGED], "value": None})
        answers.append(clicker.field.click(clicker.pad, "brush", *shown, event))
    # The last answer overtakes the others; what is drawn then is the newest all the same.
    for answer in (answers[2], answers[0]):
        clicker.values["marks"], clicker.draft = answer[clicker.field.text], answer[clicker.field.draft]
    clicker.taken()
    assert [len(mark["points"]) for mark in clicker.marks] == [1, 3]
    monkeypatch.setattr("studio.mark_pad.LATE_SECONDS", -1.0)
    before = clicker.values["marks"]
    clicker.values["marks"], clicker.draft = answers[0][clicker.field.text], answers[0][clicker.field.draft]
    clicker.taken()
    assert clicker.values["marks"] != before, "what stands there for long is meant"
    clicker.values["marks"] = '[{"frame": 1, "kind": "click", "points": [[2, 2]]}]'
    clicker.taken("")
    clicker.click("click", 8, 28)
    assert [mark["frame"] for mark in clicker.marks] == [1, 0], "what somebody wrote counts"
    clicker.field.clear_all(clicker.pad)
    clicker.values["marks"], clicker.draft = "", ""
    clicker.click("click", 8, 28)
    assert len(clicker.marks) == 1
    assert copy.deepcopy(clicker.pad).latest(clicker.values["marks"], "") == (clicker.values["marks"], "")


def test_clear_and_a_new_video_take_all_marks_away(clicker: Clicker) -> None:
    assert clicker.field.forgets() == {clicker.field.text: "", clicker.field.draft: ""}
    video: Any = clicker.tab.form.files["video"]
    assert video.resets[clicker.field.text] == ""


def test_frames_are_counted_from_the_in_point(clicker: Clicker) -> None:
    whole = clicker.view["count"]
    clicker.values |= {"start": 1.0, "end": 1.5}
    clicker.taken()
    assert (whole, clicker.view["count"]) == (24, 6)
    # The square of the clip's frame 12, which is the part's frame 0, begins at 36.
    clicker.click("click", 44, 28)
    assert clicker.marks[0]["frame"] == 0
    assert clicker.is_tinted(38, 28)
    assert clicker.go(5) == clicker.said
    clicker.click("click", 59, 28)
    assert clicker.marks[1]["frame"] == 5
    clicker.go(20)
    assert clicker.view["frame"] == 5, "there is no frame behind the out point"
    clicker.values["end"] = 1.25
    assert "A click is on frame 5; the clip has the frames 0 to 2." in clicker.taken()
    clicker.values["end"] = 0.5
    assert 'role="alert"' in clicker.taken()


def test_marks_on_a_later_frame_are_said_to_correct_the_earlier_ones(clicker: Clicker) -> None:
    clicker.click("click", 8, 28)
    assert "this frame needs marks only if it is lost here" in clicker.go(3)
    assert "correct what is followed from frame 0" in clicker.click("not brush", 60, 50)


def test_large_frames_are_shown_smaller_and_small_ones_larger(edit: EditTab, owned: OwnedFiles, tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    with ClipWriter(path, FPS) as writer:
        writer.write(frames(1, 2560, 640))
    large = Clicker(edit, video=lines_of([owned.uploads.keep(path, "local")]))
    assert large.shown.shape == (320, 1280, 3)
    event = gr.SelectData(None, {"index": [1279, 319], "value": None})
    written = large.field.click(Pad(), "click", "", large.view, "", event)
    assert json.loads(written[large.field.text])[0]["points"] == [[2559, 639]]
    small = Clicker(edit, video=lines_of([owned.uploads.keep(picture(tmp_path / "small.png"), "local")]))
    assert (small.shown.shape, small.view["count"]) == ((64 * ENLARGED, 96 * ENLARGED, 3), 1)


def test_what_is_shown_already_is_not_drawn_again(clicker: Clicker, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    monkeypatch.setattr("studio.mark_field.mark_picture", lambda *given: drawn.append(1))
    clicker.taken()
    assert drawn == []


def test_nothing_is_drawn_while_something_else_is_chosen(clicker: Clicker) -> None:
    for values in ({"mode": "words"}, {"selection": "people"}):
        assert clicker.tab.advice(clicker.values | values, "local")[clicker.field.wanted] == ""


def test_without_a_video_it_is_said_what_to_do(edit: EditTab) -> None:
    clicker = Clicker(edit)
    assert "Bring a video first" in clicker.said or clicker.shown is None
    assert clicker.click("click", 3, 3) == clicker.said
    assert clicker.marks == []


def test_another_owners_file_and_system_files_are_never_shown(edit: EditTab, owned: OwnedFiles, tmp_path: Path) -> None:
    theirs = owned.uploads.keep(clip(tmp_path / "a.mp4"), "bert")
    for path in (theirs, tmp_path / "a.mp4", Path("/etc/hostname")):
        clicker = Clicker(edit, video=lines_of([path]))
        assert clicker.shown is None
        assert "is not among your files any more, or never was" in clicker.said


def test_wrong_text_is_said_and_clicks_leave_it_alone(clicker: Clicker) -> None:
    for text, said in (("[{", "Marks cannot be read"), ('[{"frame": 0, "kind": "box"}]', "a box needs `box`")):
        clicker.values["marks"] = text
        assert said in clicker.taken()
        assert clicker.shown is not None
        clicker.click("click", 8, 28)
        assert clicker.values["marks"] == text
        clicker.undo()
        assert clicker.values["marks"] == text


def test_what_the_form_says_of_marks_stands_below_the_frame(edit: EditTab) -> None:
    shown = edit.form.with_error("marks", "Nothing <is> marked.")
    assert "Nothing &lt;is&gt; marked." in shown[edit.marks.message]
    assert edit.form.with_error("video", "There is none.")[edit.marks.message] == ""
    for cleared in (edit.form.without_errors(), edit.form.filled({})):
        assert cleared[edit.marks.message] == ""
    assert edit.marks.message in edit.form.outputs


def test_clicked_marks_are_a_request(clicker: Clicker, queue: JobQueue) -> None:
    clicker.click("box", 0, 17)
    clicker.click("box", 18, 38)
    asked: Sequence[Any] = [clicker.values[name] for name in clicker.tab.form.names]
    clicker.tab.submit(None, *asked)  # type: ignore[arg-type]
    (job,) = queue.list("local", "video_editing")
    assert [mark.box for mark in marks_of(job.fields["marks"])] == [(0, 17, 19, 39)]


def test_a_trial_leaves_out_what_is_marked_behind_it(edit: EditTab, owned: OwnedFiles, tmp_path: Path) -> None:
    clicker = Clicker(edit, video=lines_of([owned.uploads.keep(clip(tmp_path / "a.mp4", 5.0), "local")]))
    clicker.go(40)
    clicker.click("click", 44, 28)
    with pytest.raises(InvalidRequest) as caught:
        edit._trial_part(edit.requests(clicker.values, "local")[0])
    assert caught.value.field == "marks"
    assert caught.value.fix == "Mark one of the frames 0 to 35, or press Edit."
    clicker.go(2)
    clicker.click("click", 10, 28)
    part = edit._trial_part(edit.requests(clicker.values, "local")[0])
    assert (part["start"], part["end"]) == (0.0, 3.0)
    assert [mark.frame for mark in marks_of(part["marks"])] == [2]
    assert "marks" not in edit._trial_part({**clicker.values, "selection": "people", "end": None})


def test_files_of_a_tab_that_is_still_closed_are_empty_texts(edit: EditTab) -> None:
    assert [field.value.value for field in edit.form.files.values()] == ["", "", "", ""]


def test_a_mask_may_be_a_video_and_is_not_cut(edit: EditTab, owned: OwnedFiles, tmp_path: Path) -> None:
    kept = owned.uploads.keep_all([clip(tmp_path / "a.mp4"), picture(tmp_path / "mask.png")], "local")
    for path in kept:
        taken = edit.mask.take(None, [str(path)])  # type: ignore[arg-type]
        assert Path(taken[edit.mask.value]).name == path.name
        value = edit.mask._shows(taken[edit.mask.value], "local", 0, wait_for_copy=True)[edit.mask.player]
        assert value["duration"] == 0
    (tmp_path / "bad.png").write_text("no picture", encoding="utf-8")
    assert "cannot be read" in edit.mask.take(None, str(tmp_path / "bad.png"))[edit.mask.message]  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest):
        edit.requests({**edit.form.defaults(), "video": str(kept[0]), "mode": "move", "selection": "mask",
                       "mask": "/etc/hostname"}, "local")  # fmt: skip
