"""The queue's rows: what may be done in each state, what is said; and that one owner's buttons touch nobody else's."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from studio import queue_panel
from studio.jobs.job import Event, Job
from studio.jobs.queue import JobQueue
from studio.queue_panel import QueuePanel
from studio.queue_rows import actions_of, latest_news, row_of, state_words
from tests.studio.a_job import job


@pytest.fixture
def panel(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> QueuePanel:
    monkeypatch.setattr(queue_panel, "owner_of", lambda request: request)
    with gr.Blocks():
        return QueuePanel(queue, {"text_to_video": "Text to video"}, gr.HTML())


def submitted(queue: JobQueue, *prompts: str, owner: str = "anna") -> list[Job]:
    return [queue.submit("text_to_video", {"prompt": prompt}, owner) for prompt in prompts]


def titles(panel: QueuePanel, owner: str = "anna") -> list[str]:
    return [row["title"] for row in panel.updates(owner, "")[panel.component]["rows"]]


def press(panel: QueuePanel, which: Job, do: str, owner: str = "anna", opened: str = "") -> Any:
    return panel.act(owner, opened, SimpleNamespace(id=which.id, do=do))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "place", "waiting", "expected"),
    [
        ({"status": "queued"}, 0, 1, ["pause", "cancel"]),
        ({"status": "queued"}, 1, 3, ["pause", "first", "up", "down", "cancel"]),
        ({"status": "queued"}, 2, 3, ["pause", "first", "up", "cancel"]),
        ({"status": "paused"}, 0, 2, ["resume", "down", "cancel"]),
        ({"status": "running"}, 0, 0, ["pause", "cancel"]),
        ({"status": "running", "pausing": True}, 0, 0, ["resume", "cancel"]),
        ({"status": "done"}, 0, 0, []),
        ({"status": "cancelled"}, 0, 0, ["retry", "dismiss"]),
        ({"status": "interrupted"}, 0, 0, ["retry", "dismiss"]),
        ({"status": "failed", "error": {"code": "bug"}}, 0, 0, ["retry", "dismiss"]),
        (
            {"status": "failed", "error": {"code": "resource_error"}, "fields": {"prompt": "a fox", "takes": 4}},
            0, 0, ["retry", "smaller", "dismiss"],
        ),
    ],
)  # fmt: skip
def test_what_may_be_done_in_each_state(
    tmp_path: Path, changes: dict[str, Any], place: int, waiting: int, expected: list[str]
) -> None:
    assert actions_of(job(tmp_path, **changes), place, waiting) == expected


def test_where_a_job_stands_in_one_line(tmp_path: Path) -> None:
    running = {"status": "running", "phase": "rendering", "step": 3, "total": 9, "seconds_left": 61.0}
    assert state_words(job(tmp_path, **running)) == "Rendering the frames, 3 of 9 · 1:01 left"
    assert "pauses" in state_words(job(tmp_path, **running, pausing=True))
    assert state_words(job(tmp_path, position=1), 8.2) == "Next · about 8 s"
    assert state_words(job(tmp_path, position=3)) == "Waiting, 2 before it"
    assert state_words(job(tmp_path, status="paused", step=48, total=96)) == "Paused at 48 of 96"


def test_a_failed_job_says_why_and_its_history_is_told_when_it_is_unfolded(tmp_path: Path) -> None:
    error = {"code": "resource_error", "field": None, "message": "The disk is full.", "fix": "Free some space."}
    failed = job(tmp_path, status="failed", error=error)
    folded = row_of(failed, "Upscale", 0, 0)
    assert folded["error"] == "The disk is full. Free some space."
    assert not folded["opened"]
    events = [Event("2026-11-26T10:00:00+00:00", "chunk", "Chunk 2 of 4.")]
    unfolded = row_of(failed, "Upscale", 0, 0, history=(events, "the log's end"))
    assert unfolded["events"][0]["words"] == "Chunk finished. Chunk 2 of 4."
    assert unfolded["log"] == "the log's end"


def test_the_latest_news_is_the_job_that_ended_last(tmp_path: Path) -> None:
    jobs = [
        job(tmp_path, status=status, finished=at, fields={"prompt": at})
        for status, at in (("done", "2026-11-26T10:00:00"), ("failed", "2026-11-26T11:00:00"), ("running", None))
    ]
    assert latest_news(jobs) == {"at": "2026-11-26T11:00:00", "status": "failed", "title": "2026-11-26T11:00:00"}
    assert latest_news([])["at"] == ""


def test_buttons_move_pause_and_cancel(queue: JobQueue, panel: QueuePanel) -> None:
    one, two, three = submitted(queue, "one", "two", "three")
    assert titles(panel) == ["one", "two", "three"]
    press(panel, three, "first")
    assert titles(panel) == ["three", "one", "two"]
    press(panel, three, "priority low")
    assert titles(panel) == ["one", "two", "three"]
    press(panel, one, "pause")
    assert queue.get(one.id, "anna").status == "paused"
    press(panel, one, "resume")
    press(panel, two, "cancel")
    assert [queue.get(each.id, "anna").status for each in (one, two, three)] == ["queued", "cancelled", "queued"]
    press(panel, two, "retry")
    assert queue.get(two.id, "anna").status == "queued"
    press(panel, two, "cancel")
    press(panel, two, "dismiss")
    assert titles(panel) == ["one", "three"]


def test_nobody_touches_what_is_anothers(queue: JobQueue, panel: QueuePanel) -> None:
    (hers,) = submitted(queue, "hers")
    assert titles(panel, "bert") == []
    for do in ("pause", "cancel", "first", "priority high", "dismiss"):
        press(panel, hers, do, owner="bert")
    assert queue.get(hers.id, "anna").status == "queued"
    assert titles(panel) == ["hers"]


def test_nothing_is_sent_where_nothing_changed(queue: JobQueue, panel: QueuePanel) -> None:
    (first,) = submitted(queue, "one")
    shown = panel.updates("anna", "")[panel.shown]
    assert panel.updates("anna", "", shown) == {}
    assert panel.updates("anna", first.id, shown)[panel.component]["rows"][0]["opened"]
    submitted(queue, "two")
    assert "queue 2" in panel.updates("anna", "", shown)[panel.status]


def test_history_unfolds_and_folds(queue: JobQueue, panel: QueuePanel) -> None:
    (one,) = submitted(queue, "one")
    unfolded = press(panel, one, "open")
    assert unfolded[panel.opened] == one.id
    assert unfolded[panel.component]["rows"][0]["events"][0]["words"] == "Submitted"
    assert press(panel, one, "open", opened=one.id)[panel.opened] == ""


def test_many_waiting_jobs_are_counted_and_not_all_drawn(queue: JobQueue, panel: QueuePanel) -> None:
    submitted(queue, *(f"job {number}" for number in range(queue_panel.MOST_WAITING + 3)))
    value = panel.updates("anna", "")[panel.component]
    assert len(value["rows"]) == queue_panel.MOST_WAITING
    assert value["further"] == "And 3 more that wait."
