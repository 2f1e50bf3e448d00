"""What the Models tab says of a model and of its memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from engines.backend.catalogue import load_catalogue
from engines.backend.local_models import add_local_model
from engines.backend.tiny import save_tiny_wan
from engines.errors import NotAvailable
from studio.model_facts import facts_html, memory_html, memory_line, planned


@pytest.fixture(autouse=True)
def _no_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))


def test_the_licence_stands_before_what_would_be_fetched() -> None:
    said = facts_html(load_catalogue()["ltx_video"])
    assert said.index("LTX-Video Open Weights License") < said.index("9.0 GB of Lightricks/LTX-Video would be fetched")
    assert "engines.backend.downloads ltx_video" in said


def test_a_model_that_is_here_says_where() -> None:
    said = facts_html(load_catalogue()["diorama"])
    assert "on this machine" in said
    assert "<code>assets/models/diorama</code>" in said
    assert "downloads" not in said


def test_the_plan_is_asked_of_another_process_once_for_each_size() -> None:
    asked: list[Sequence[str]] = []

    def run(arguments: Sequence[str]) -> str:
        asked.append(arguments)
        return json.dumps({"fits": True, "sentences": ["14 GB at most."]})

    for _ in range(2):
        assert planned("ltx_video", 704, 480, 121, 0, run) == (True, ("14 GB at most.",))
    assert asked == [["ltx_video", "--width", "704", "--height", "480", "--frames", "121", "--json"]]


def test_an_answer_holds_for_a_minute() -> None:
    answers = iter([True, False])

    def run(_: Sequence[str]) -> str:
        return json.dumps({"fits": next(answers), "sentences": ["What is free has changed."]})

    assert planned("wan_2_1", 832, 480, 81, 1, run)[0]
    assert not planned("wan_2_1", 832, 480, 81, 2, run)[0]


def test_a_large_model_says_its_plan_before_it_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWRIGHT_HOME", str(tmp_path))
    card = add_local_model(save_tiny_wan(tmp_path / "tiny"), "Tiny")
    monkeypatch.setattr("studio.model_facts.catalogue", load_catalogue)  # the studio's own is that of its start
    said = memory_line(card.id, 64, 64, 9)
    assert "at most: everything stays on the device" in said
    assert "text encoder" in said
    assert [memory_line(model, 96, 96, 17) for model in ("diorama", "ltx_video", "gone")] == ["", "", ""]
    assert memory_line(card.id, None, 64, 9) == ""


@pytest.mark.parametrize("emptied", [None, 0])
def test_an_emptied_field_is_named(emptied: int | None) -> None:
    assert "Height is empty or too small." in memory_html("ltx_video", 704, emptied, 121)


def test_what_does_not_fit_is_said_with_its_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps({"fits": False, "sentences": ["It needs 30 GB <at the least>."]})
    monkeypatch.setattr("studio.model_facts._run", lambda _: answer)
    said = memory_html("hunyuan_video_1_5", 832, 480, 121)
    assert "This machine cannot run it so." in said
    assert "30 GB &lt;at the least&gt;" in said


def test_a_size_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Sequence[str]) -> str:
        raise NotAvailable("width = 5 is too small.", "Choose at least 32.", field="width")

    monkeypatch.setattr("studio.model_facts._run", fails)
    assert "width = 5 is too small." in memory_html("ltx_video", 5, 480, 121)
