"""The Animate tab: every field is there, a picture becomes one request, and another seed is asked for by a button."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from engines.errors import InvalidRequest
from studio.files import FileServer
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.tabs.animate import CHOICES, AnimateTab
from studio.uploads import lines_of
from tests.studio.footage_files import picture


@pytest.fixture
def animate(queue: JobQueue, owned: OwnedFiles) -> AnimateTab:
    with gr.Blocks():
        return AnimateTab(queue, FileServer(), owned)


@pytest.fixture
def kept(owned: OwnedFiles, tmp_path: Path) -> Path:
    return owned.uploads.keep(picture(tmp_path / "a.png"), "local")


def values(tab: AnimateTab, **changes: Any) -> dict[str, Any]:
    return tab.form.defaults() | {"prompt": "a fox bounces in the snow"} | changes


def test_every_field_of_the_request_is_on_the_page(animate: AnimateTab) -> None:
    assert set(animate.form.names) == set(animate.form.request_class.model_fields)
    for name, choices in CHOICES.items():
        assert {value for _, value in choices} == set(animate.form.schema[name]["enum"])
    assert next(value for _, value in animate.form.choices["model"]) == "diorama"


def test_files_of_a_tab_that_is_still_closed_are_empty_texts(animate: AnimateTab) -> None:
    assert [field.value.value for field in animate.form.files.values()] == ["", "", ""]


def test_a_picture_becomes_a_request(animate: AnimateTab, kept: Path) -> None:
    (request,) = animate.requests(values(animate, picture=lines_of([kept]), movement=-0.5), "local")
    assert (request["picture"], request["movement"]) == (str(kept), -0.5)
    assert "end_picture" not in request
    assert "keyframes" not in request
    (passing,) = animate.requests(
        values(animate, picture=lines_of([kept]), keyframes=lines_of([kept, kept]), keyframe_seconds="0.2, 0.4"),
        "local",
    )
    assert passing["keyframes"] == [str(kept), str(kept)]
    (both,) = animate.requests(values(animate, picture=lines_of([kept]), end_picture=lines_of([kept])), "local")
    assert both["end_picture"] == str(kept)


def test_without_a_picture_the_field_says_so(animate: AnimateTab) -> None:
    with pytest.raises(InvalidRequest, match="There is no picture yet") as error:
        animate.requests(values(animate), "local")
    assert error.value.field == "picture"


def test_somebody_elses_picture_is_none(animate: AnimateTab, kept: Path) -> None:
    with pytest.raises(InvalidRequest):
        animate.requests(values(animate, picture=lines_of([kept])), "somebody else")


def test_what_becomes_of_the_picture_stands_below_the_form(animate: AnimateTab, kept: Path) -> None:
    said = animate.advice(values(animate, picture=lines_of([kept]), prompt="a zeppelin bounces"), "local")
    assert "zeppelin" in said[animate.settings_advice]
    assert said[animate.estimate]
    assert animate.advice(values(animate), "local")[animate.settings_advice] == ""


def test_another_seed_is_asked_for_by_a_button(animate: AnimateTab, kept: Path, queue: JobQueue) -> None:
    (fields,) = animate.requests(values(animate, picture=lines_of([kept]), seed=2**32 - 1), "local")
    job = queue.submit(animate.task, fields, "local")
    animate.again(None, job.id)  # type: ignore[arg-type]
    seeds = {one.fields["seed"] for one in queue.list("local")}
    assert seeds == {2**32 - 1, 0}


def test_a_trial_is_one_version_of_three_seconds_and_knows_what_it_is_a_part_of(
    animate: AnimateTab, kept: Path, queue: JobQueue
) -> None:
    given = values(animate, picture=lines_of([kept]), frames=481, takes=4)
    animate.submit_trial(None, *(given[name] for name in animate.form.names))  # type: ignore[arg-type]
    (trial,) = queue.list("local", "image_animation")
    assert (trial.fields["frames"], trial.fields["takes"]) == (73, 1)
    assert (animate.fields_of(trial)["frames"], animate.fields_of(trial)["takes"]) == (481, 4)
    with pytest.raises(InvalidRequest, match="no longer than a trial") as error:
        animate._trial_part(values(animate))
    assert error.value.fix == "Press Animate."


def test_pictures_on_the_way_come_back_with_a_job_and_a_trial_has_those_of_its_seconds(
    animate: AnimateTab, kept: Path, queue: JobQueue
) -> None:
    given = values(
        animate, picture=lines_of([kept]), keyframes=lines_of([kept, kept]), keyframe_seconds="1, 8", frames=241,
        end_picture=lines_of([kept]),
    )  # fmt: skip
    animate.submit_trial(None, *(given[name] for name in animate.form.names))  # type: ignore[arg-type]
    (trial,) = queue.list("local", "image_animation")
    assert trial.fields["keyframe_seconds"] == "1"
    assert len(trial.fields["keyframes"]) == 1
    assert trial.fields["end_picture"] is None
    full = animate.fields_of(trial)
    assert (full["frames"], full["keyframe_seconds"]) == (241, "1, 8")


def test_moments_are_shown_on_a_line(animate: AnimateTab, kept: Path) -> None:
    said = animate.advice(values(animate, keyframes=lines_of([kept]), keyframe_seconds="0.3, 2", frames=24), "local")
    shown = said[animate.moments]
    assert shown.count("<li") == 3
    assert "left: 30.0%" in shown
    assert shown.count("beyond") == 1
    assert animate.advice(values(animate), "local")[animate.moments] == ""
    assert animate.advice(values(animate, keyframe_seconds="soon"), "local")[animate.moments] == ""
