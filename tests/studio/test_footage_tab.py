"""From the values of a tab about footage to requests: whose files, one job each, a few seconds of them first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from engines.errors import InvalidRequest
from studio.compare_stage import CompareStage
from studio.files import FileServer
from studio.jobs.dispatch import Dispatch
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.tabs import job_watch
from studio.tabs.interpolate import InterpolateTab
from studio.tabs.upscale import UpscaleTab
from studio.uploads import lines_of
from tests.studio.footage_files import clip, picture


@pytest.fixture
def upscale(queue: JobQueue, owned: OwnedFiles) -> UpscaleTab:
    with gr.Blocks():
        return UpscaleTab(queue, FileServer(), owned)


@pytest.fixture
def interpolate(queue: JobQueue, owned: OwnedFiles) -> InterpolateTab:
    with gr.Blocks():
        return InterpolateTab(queue, FileServer(), owned)


def values(tab: UpscaleTab | InterpolateTab, *files: Path, **changes: Any) -> dict[str, Any]:
    return tab.form.defaults() | {"video": lines_of(files)} | changes


def test_every_field_of_the_request_is_on_the_page(upscale: UpscaleTab, interpolate: InterpolateTab) -> None:
    for tab in (upscale, interpolate):
        assert set(tab.form.names) == set(tab.form.request_class.model_fields)


def test_one_file_keeps_its_in_and_out_points(upscale: UpscaleTab, owned: OwnedFiles, tmp_path: Path) -> None:
    kept = owned.uploads.keep(clip(tmp_path / "a.mp4"), "local")
    (request,) = upscale.requests(values(upscale, kept, start=0.25, end=0.75), "local")
    assert (request["video"], request["start"], request["end"]) == (str(kept), 0.25, 0.75)
    assert "weights" not in request


def test_several_files_are_a_job_each_and_rendered_whole(
    upscale: UpscaleTab, owned: OwnedFiles, tmp_path: Path
) -> None:
    kept = owned.uploads.keep_all([clip(tmp_path / "a.mp4"), clip(tmp_path / "b.mp4", 2.0)], "local")
    requests = upscale.requests(values(upscale, *kept, start=0.25, end=0.75), "local")
    assert [Path(request["video"]).name for request in requests] == ["a.mp4", "b.mp4"]
    assert all((request["start"], request["end"]) == (0.0, None) for request in requests)


def test_no_file_is_said_beside_the_field(upscale: UpscaleTab) -> None:
    with pytest.raises(InvalidRequest) as caught:
        upscale.requests(values(upscale), "local")
    assert caught.value.field == "video"
    assert caught.value.fix == "Choose a file, or drop one here."


def test_other_peoples_files_and_system_files_are_refused_in_the_same_words(
    upscale: UpscaleTab, owned: OwnedFiles, tmp_path: Path
) -> None:
    theirs = owned.uploads.keep(clip(tmp_path / "a.mp4"), "bert")
    said = []
    for path in (theirs, Path("/etc/a.mp4"), tmp_path / "a.mp4"):
        with pytest.raises(InvalidRequest) as caught:
            upscale.requests(values(upscale, path), "local")
        said.append((caught.value.message, caught.value.field))
    assert len(set(said)) == 1


def test_the_second_picture_of_a_morph_is_part_of_the_request(
    interpolate: InterpolateTab, owned: OwnedFiles, tmp_path: Path
) -> None:
    first, second = (owned.uploads.keep(picture(tmp_path / name), "local") for name in ("1.png", "2.png"))
    (request,) = interpolate.requests(values(interpolate, first, second=str(second)), "local")
    assert (request["video"], request["second"]) == (str(first), str(second))


def test_an_error_beside_a_file_field_goes_away_again(upscale: UpscaleTab) -> None:
    shown = upscale.form.with_error("video", "There is no video <yet>.")
    message = upscale.form.files["video"].message
    assert "There is no video &lt;yet&gt;." in shown[message]
    assert upscale.form.without_errors()[message] == ""


def test_a_wrong_file_says_why_and_the_good_ones_are_taken(upscale: UpscaleTab, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video", encoding="utf-8")
    field: Any = upscale.form.files["video"]
    alone = field.take(None, [str(bad)])
    assert "cannot be read" in alone[field.message]
    assert field.value not in alone
    both = field.take(None, [str(bad), str(clip(tmp_path / "good.mp4"))])
    assert "1 of 2 files are left out" in both[field.message]
    assert both[field.value].endswith("good.mp4")


def test_a_video_is_no_second_picture(interpolate: InterpolateTab, tmp_path: Path) -> None:
    field: Any = interpolate.form.files["second"]
    said = field.take(None, str(clip(tmp_path / "a.mp4")))
    assert "“a.mp4” is not one picture" in said[field.message]


def test_a_trial_is_three_seconds_and_knows_what_it_is_a_part_of(
    upscale: UpscaleTab, owned: OwnedFiles, queue: JobQueue, tmp_path: Path
) -> None:
    kept = owned.uploads.keep(clip(tmp_path / "a.mp4", 5.0), "local")
    given = values(upscale, kept, start=1.0)
    upscale.submit_trial(None, *(given[name] for name in upscale.form.names))
    (trial,) = queue.list("local", "super_resolution")
    assert (trial.fields["start"], trial.fields["end"]) == (1.0, 4.0)
    full = upscale.trials.full_fields(trial)
    assert full is not None
    assert (full["start"], full["end"]) == (1.0, None)
    assert full["video"] == trial.fields["video"]
    assert upscale.fields_of(trial)["end"] is None
    upscale.render_all(None, trial.id)
    whole = queue.list("local", "super_resolution")[0]
    assert (whole.fields["start"], whole.fields["end"]) == (1.0, None)


def test_a_clip_no_longer_than_a_trial_needs_none(
    upscale: UpscaleTab, owned: OwnedFiles, queue: JobQueue, tmp_path: Path
) -> None:
    kept = owned.uploads.keep(clip(tmp_path / "a.mp4", 2.0), "local")
    with pytest.raises(InvalidRequest) as caught:
        upscale._trial_part(values(upscale, kept))
    assert caught.value.fix == "Press Upscale."
    assert queue.list("local") == []


def test_the_stage_compares_only_finished_jobs_of_ones_own(upscale: UpscaleTab) -> None:
    assert isinstance(upscale.stage, CompareStage)
    assert upscale.stage.fill(None, "nothing")["label"] == ""
    assert "no job" in upscale.stage.fill(None, f"{'0' * 32} done 0")["waiting"].lower()


def test_after_a_failed_file_of_a_batch_the_next_one_is_followed(
    upscale: UpscaleTab, queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (queue.submit("super_resolution", {"video": str(clip(tmp_path / f"{n}.mp4"))}) for n in (1, 2))
    dispatch = Dispatch(queue._database)
    dispatch.take_next("worker")
    dispatch.failed(first.id, "worker", {"code": "bug", "field": None, "message": "It broke.", "fix": "Retry it."})
    seen = upscale.watch.watch(None, first.id, "", 0)  # type: ignore[arg-type]
    assert upscale.watch.job_id not in seen, "what went wrong is read first"
    assert seen[upscale.watch.timer].active
    monkeypatch.setattr(job_watch, "WRONG_SECONDS", 0)
    later = upscale.watch.watch(None, first.id, "", 0)  # type: ignore[arg-type]
    assert later[upscale.watch.job_id] == second.id
