"""The Storyboard tab: lines become one request, a request becomes lines, and the time line shows both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from engines.errors import InvalidRequest
from studio.files import FileServer
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.stage_html import title_of
from studio.tabs.storyboard import CHOICES, EXAMPLE, StoryboardTab
from studio.task_endpoints import with_files
from studio.time_line import time_line
from studio.uploads import lines_of
from tests.engines.composition.storyboard.test_music import tone


@pytest.fixture
def storyboard(queue: JobQueue, owned: OwnedFiles) -> StoryboardTab:
    with gr.Blocks():
        return StoryboardTab(queue, FileServer(), owned)


def values(tab: StoryboardTab, **changes: Any) -> dict[str, Any]:
    return tab.form.defaults() | {"scenes": EXAMPLE} | changes


def test_every_field_of_the_request_is_on_the_page(storyboard: StoryboardTab) -> None:
    assert set(storyboard.form.names) == set(storyboard.form.request_class.model_fields)
    for name, choices in CHOICES.items():
        assert {value for _, value in choices} == set(storyboard.form.schema[name]["enum"])
    assert next(value for _, value in storyboard.form.choices["model"]) == "diorama"


def test_lines_become_one_request(storyboard: StoryboardTab, owned: OwnedFiles, tmp_path: Path) -> None:
    music = owned.uploads.keep(tone(tmp_path / "a.wav", 1.0), "local")
    (fields,) = storyboard.requests(values(storyboard, music=lines_of([music])), "local")
    assert [scene["transition"] for scene in fields["scenes"]] == ["cut", "continue", "crossfade"]
    assert fields["music"] == str(music)
    with pytest.raises(InvalidRequest, match="Line 1 has no duration") as refused:
        storyboard.requests(values(storyboard, scenes="a fox"), "local")
    assert refused.value.field == "scenes"


def test_a_job_and_its_settings_come_back_as_lines(storyboard: StoryboardTab, queue: JobQueue) -> None:
    storyboard.submit(None, *(values(storyboard)[name] for name in storyboard.form.names))  # type: ignore[arg-type]
    (job,) = queue.list("local", "storyboard")
    assert job.fields["scenes"][2]["title"] == "Later"
    filled = storyboard.filled(storyboard.fields_of(job), "local")
    script = storyboard.form.components["scenes"]
    shown = filled[script]
    assert (shown["value"] if isinstance(shown, dict) else shown) == EXAMPLE


def test_a_preview_has_the_beginning_of_every_scene(storyboard: StoryboardTab, queue: JobQueue) -> None:
    given = values(storyboard)
    storyboard.submit_trial(None, *(given[name] for name in storyboard.form.names))  # type: ignore[arg-type]
    (trial,) = queue.list("local", "storyboard")
    assert [scene["seconds"] for scene in trial.fields["scenes"]] == [0.7, 0.7, 0.7]
    assert [scene["seconds"] for scene in storyboard.fields_of(trial)["scenes"]] == [2, 2, 2]


def test_what_it_will_be_stands_below_the_form_and_on_the_time_line(storyboard: StoryboardTab) -> None:
    said = storyboard.advice(values(storyboard), "local")
    assert "in 2 takes" in said[storyboard.settings_advice]
    assert said[storyboard.time_line].count("<li") == 3
    wrong = storyboard.advice(values(storyboard, scenes="a fox"), "local")
    assert (wrong[storyboard.settings_advice], wrong[storyboard.time_line]) == ("", "")


def test_the_time_line_shows_lengths_takes_and_titles() -> None:
    shown = time_line(
        [
            {"prompt": "a <fox>", "seconds": 2.0, "transition": "cut", "title": ""},
            {"prompt": "a cat", "seconds": 1.5, "transition": "continue", "title": "Later & on"},
            {"prompt": "a robot", "seconds": 1.0, "transition": "cut", "title": ""},
        ]
    )
    assert "a &lt;fox&gt;" in shown
    assert "Later &amp; on" in shown
    assert [shown.count(f"take-{take}") for take in (0, 1)] == [2, 1]
    assert shown.count("goes on") == 1
    assert "flex-grow: 1.5" in shown
    assert time_line([]) == ""


def test_the_endpoint_takes_plain_data(owned: OwnedFiles) -> None:
    fields = with_files("storyboard", {"scenes": [{"prompt": "a fox", "seconds": 1}], "music": None}, owned, "local")
    assert "music" not in fields


def test_a_film_is_called_by_its_scenes(queue: JobQueue) -> None:
    scenes = [{"prompt": "a fox bounces", "seconds": 1}, {"prompt": "a cat spins", "seconds": 1}]
    job = queue.submit("storyboard", {"scenes": scenes}, "local")
    assert title_of(job) == "a fox bounces · a cat spins"
