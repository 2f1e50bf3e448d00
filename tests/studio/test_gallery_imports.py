"""The gallery with a person's own files: what they say of themselves, and what can be done with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from engines.media.metadata import OutputRecord, sidecar_of
from engines.media.writer import ClipWriter
from studio.gallery_facts import FROM_ELSEWHERE, NOT_UNDERSTOOD, render_facts
from studio.gallery_imports import bring
from studio.gallery_list import Wanted, finished_renders
from studio.gallery_settings import file_name, reusable, settings_behind
from studio.gallery_shelf import poster_of
from studio.gallery_sight import Sight
from studio.jobs.job import IMPORTED, Job
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.tabs.gallery import GalleryTab
from tests.studio.footage_files import FPS, clip, frames, picture

ALL = ("", "all", "", 0)
ROOMS = {"super_resolution": "Upscale", "text_to_video": "Text to video"}
UPSCALED = {"task": "super_resolution", "video": "/home/anna/holiday.mp4", "factor": 3}
DRAWN = {"task": "text_to_video", "prompt": "a <b>fox</b> on a hill", "seed": 3}


def with_record(path: Path, request: dict[str, Any]) -> Path:
    with ClipWriter(path, FPS, metadata=OutputRecord(framewright="0.1", request=request)) as writer:
        writer.write(frames(6))
    return path


def imported(owned: OwnedFiles, *given: Path, owner: str = "local") -> list[Job]:
    return [one.job for one in bring(given, owned, owner).imports]


def listed(gallery: GalleryTab, *filters: Any) -> list[str]:
    shown = gallery.shelf.updates("local", "", *(filters or ALL))
    return [item["caption"] for item in shown[gallery.shelf.thumbnails]["items"]]


def test_files_are_brought_listed_filtered_and_shown(gallery: GalleryTab, tmp_path: Path) -> None:
    given = [str(clip(tmp_path / "beach.mp4")), str(picture(tmp_path / "hill.png"))]
    updates = gallery.bring(None, given, None, *ALL)
    assert "2 files are in the gallery now." in updates[gallery.shelf.brought]
    assert "beach.mp4" in updates[gallery.viewer.facts]
    assert listed(gallery) == ["hill.png", "beach.mp4"]
    assert listed(gallery, IMPORTED, "all", "", 0) == ["hill.png", "beach.mp4"]
    assert listed(gallery, "super_resolution", "all", "", 0) == []
    assert listed(gallery, "", "all", "BEACH", 0) == ["beach.mp4"]
    assert "Disk: " in updates[gallery.shelf.disk.panel]["label"]


def test_what_cannot_be_used_holds_nothing_back_and_is_said(owned: OwnedFiles, tmp_path: Path) -> None:
    notes = tmp_path / "notes.mp4"
    notes.write_text("no video")
    good = clip(tmp_path / "a.mp4")
    brought = bring([notes, good], owned, "local")
    assert brought.sentences() == ["“a.mp4” is in the gallery."]
    assert "“notes.mp4” cannot be read as video or picture" in brought.complaint()
    again = bring([good, notes], owned, "local")
    assert again.sentences() == ["“a.mp4” is in the gallery already; it is not doubled."]


def test_settings_beside_a_gif_come_with_it(owned: OwnedFiles, tmp_path: Path) -> None:
    gif = with_record(tmp_path / "a.gif", DRAWN)
    brought = bring([gif, sidecar_of(gif)], owned, "local")
    assert brought.problems == []
    (job,) = (one.job for one in brought.imports)
    settings = settings_behind(job)
    assert settings is not None
    assert settings.fields["prompt"] == DRAWN["prompt"]
    alone = bring([sidecar_of(gif)], owned, "ada")
    assert (alone.imports, len(alone.problems)) == ([], 1)


def test_the_request_inside_is_shown_escaped_searched_and_reused(
    queue: JobQueue, owned: OwnedFiles, tmp_path: Path
) -> None:
    (job,) = imported(owned, with_record(tmp_path / "a.mp4", DRAWN))
    said = render_facts(job, ROOMS)
    assert "Settings: made with Text to video" in said
    assert "a &lt;b&gt;fox&lt;/b&gt; on a hill" in said
    assert [one.id for one in finished_renders(queue, "local", Wanted(words="fox hill"))] == [job.id]


def test_reuse_leaves_out_files_of_another_computer_and_says_which(
    gallery: GalleryTab, owned: OwnedFiles, tmp_path: Path
) -> None:
    (job,) = imported(owned, with_record(tmp_path / "a.mp4", UPSCALED))
    rooms, form = gr.Tabs(), gallery.tabs["super_resolution"].form
    reused = gallery._reuses(rooms)(None, Sight(shown=f"{job.id} 0").as_data())
    assert reused[rooms]["selected"] == "super_resolution"
    assert reused[form.components["factor"]]["value"] == 3
    assert reused[form.components["video"]]["value"] == ""
    assert "“holiday.mp4”, which is not here" in reused[form.files["video"].message]


def test_a_path_inside_a_file_opens_nothing_of_somebody_else(owned: OwnedFiles, tmp_path: Path) -> None:
    (theirs,) = imported(owned, clip(tmp_path / "theirs.mp4"), owner="bert")
    (mine,) = imported(owned, with_record(tmp_path / "a.mp4", UPSCALED | {"video": theirs.fields["video"]}))
    settings = settings_behind(mine)
    assert settings is not None
    fields, missing = reusable(settings, owned, "local")
    assert ("video" in fields, missing) == (False, {"video": "theirs.mp4"})
    assert reusable(settings, owned, "bert")[1] == {}


@pytest.mark.parametrize(
    "request_inside",
    [
        {"task": "knitting"},
        {"task": "text_to_video", "prompt": "a", "steps": "many"},
        {"task": "text_to_video", "prompt": "a", "more": 1},
        {"prompt": "a"},
    ],
)
def test_settings_that_this_studio_does_not_take_are_not_offered(
    gallery: GalleryTab, owned: OwnedFiles, tmp_path: Path, request_inside: dict[str, Any]
) -> None:
    (job,) = imported(owned, with_record(tmp_path / "a.mp4", request_inside))
    assert settings_behind(job) is None
    assert NOT_UNDERSTOOD in render_facts(job, ROOMS)
    shown = gallery.viewer.updates(Sight(shown=f"{job.id} 0"), "local")
    assert not shown[gallery.viewer.reuse]["visible"]


def test_a_file_from_elsewhere_says_so_and_is_sent_starred_and_thrown_away(
    gallery: GalleryTab, owned: OwnedFiles, queue: JobQueue, tmp_path: Path
) -> None:
    (job,) = imported(owned, clip(tmp_path / "my <b>.mp4"))
    said = render_facts(job, ROOMS)
    assert FROM_ELSEWHERE in said
    assert "my &lt;b&gt;.mp4" in said
    assert "96 × 64" in said
    sight, rooms = Sight(shown=f"{job.id} 0").as_data(), gr.Tabs()
    sent = gallery._sends(rooms, "super_resolution")(None, sight)
    assert sent[gallery.tabs["super_resolution"].form.components["video"]]["value"] == job.fields["video"]
    assert owned.check(Path(job.fields["video"]), "local", "video")
    gallery.toggle_star(None, sight, *ALL)
    assert queue.get(job.id).favourite
    gallery.toggle_trash(None, sight, *ALL)
    assert listed(gallery) == []
    assert listed(gallery, "", "trash", "", 0) == ["★ my <b>.mp4"]


def test_an_imported_picture_is_listed_by_its_small_still(owned: OwnedFiles, tmp_path: Path) -> None:
    (job,) = imported(owned, picture(tmp_path / "a.png"))
    assert job.result is not None
    assert poster_of(job, job.result.files[0]) == job.folder / "work" / "a_thumbnail.webp"


def test_a_name_is_the_last_part_on_every_system() -> None:
    assert [file_name(one) for one in ("/home/a/b.mp4", r"C:\clips\b.mp4", "b.mp4")] == ["b.mp4"] * 3
