"""The gallery finds a person's own finished renders and nobody else's, says how they were made, keeps what it shows."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from engines.media.reader import read_clip
from engines.task import OutputFile, Result
from studio.files import FileServer
from studio.gallery_compare import pair
from studio.gallery_facts import caption_of, request_list
from studio.gallery_list import PAGE_RENDERS, Wanted, finished_renders, last_page, of_page
from studio.gallery_player import playing
from studio.gallery_settings import Settings
from studio.gallery_sight import Sight, parsed
from studio.home import database_path
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.tabs.gallery import GalleryTab
from tests.studio.a_job import job
from tests.studio.footage_files import FPS, clip, picture

ALL = ("", "all", "", 0)


def finished(queue: JobQueue, source: Path, owner: str = "local", takes: int = 1) -> Job:
    """A render of `source` that came to its end, as the worker leaves it."""
    made = queue.submit("super_resolution", {"video": str(source)}, owner)
    files = []
    for take in range(takes):
        clip(made.folder / f"take_{take}.mp4")
        picture(made.folder / f"take_{take}.webp")
        files.append(OutputFile(path=Path(f"take_{take}.mp4"), kind="video", seed=take))
        files.append(OutputFile(path=Path(f"take_{take}.webp"), kind="thumbnail", seed=take))
    result = Result(files=files, measurements={"seconds": 2.0, "width": 192.0, "height": 128.0, "frames": 12.0})
    with sqlite3.connect(database_path(queue.home)) as connection:
        connection.execute(
            "UPDATE jobs SET status = 'done', finished = created + 2, result = ? WHERE id = ?",
            (json.dumps(result.model_dump(mode="json")), made.id),
        )
    return queue.get(made.id, owner)


def ids(gallery: GalleryTab, *filters: Any, owner: str = "local") -> list[str]:
    shown = gallery.shelf.updates(owner, "", *(filters or ALL))
    return [item["id"] for item in shown[gallery.shelf.thumbnails]["items"]]


def test_finished_renders_are_listed_newest_first_and_what_waits_is_not(
    queue: JobQueue, gallery: GalleryTab, tmp_path: Path
) -> None:
    first, second = (finished(queue, clip(tmp_path / f"{name}.mp4")) for name in ("one", "two"))
    queue.submit("super_resolution", {"video": str(tmp_path / "one.mp4")})
    assert ids(gallery) == [second.id, first.id]
    (second.folder / "take_0.mp4").unlink()
    assert ids(gallery) == [first.id]


def test_words_are_found_in_prompts_and_names_of_files_whatever_their_case(queue: JobQueue, tmp_path: Path) -> None:
    holiday = finished(queue, clip(tmp_path / "Ärmelkanal Strand.mp4"))
    finished(queue, clip(tmp_path / "garden.mp4"))
    assert [one.id for one in finished_renders(queue, "local", Wanted(words="strand ÄRMEL"))] == [holiday.id]
    assert finished_renders(queue, "local", Wanted(words="strand garden")) == []
    assert finished_renders(queue, "local", Wanted(task="text_to_video")) == []
    assert len(finished_renders(queue, "local", Wanted(task="super_resolution"))) == 2


def test_pages_hold_all_renders_once(tmp_path: Path) -> None:
    jobs = [job(tmp_path, id=f"{number:032x}") for number in range(2 * PAGE_RENDERS + 1)]
    assert last_page(0) == 0
    assert last_page(len(jobs)) == 2
    assert [one for page in range(3) for one in of_page(jobs, page)] == jobs
    assert of_page(jobs, 99) == of_page(jobs, 2)


def test_stars_are_kept_and_the_trash_gives_back(queue: JobQueue, gallery: GalleryTab, tmp_path: Path) -> None:
    one, two = (finished(queue, clip(tmp_path / f"{name}.mp4")) for name in ("one", "two"))
    sight = Sight(shown=f"{one.id} 0").as_data()
    changed = gallery.toggle_star(None, sight, *ALL)
    assert ids(gallery, "", "favourites", "", 0) == [one.id]
    assert gallery.viewer.player not in changed
    assert changed[gallery.viewer.star]["value"] == "★ In favourites"
    again = JobQueue(queue.home, worker="inline")
    assert again.get(one.id).favourite
    again.stop()
    deleted = gallery.toggle_trash(None, sight, *ALL)[gallery.sight]
    assert ids(gallery) == [two.id]
    assert ids(gallery, "", "trash", "", 0) == [one.id]
    assert ids(gallery, "", "favourites", "", 0) == []
    gallery.undo_delete(None, deleted, *ALL)
    assert ids(gallery) == [two.id, one.id]
    gallery.toggle_star(None, sight, *ALL)
    assert not queue.get(one.id).favourite


def test_what_lies_in_the_trash_is_restored_by_the_same_button(
    queue: JobQueue, gallery: GalleryTab, tmp_path: Path
) -> None:
    one = finished(queue, clip(tmp_path / "one.mp4"))
    queue.delete(one.id)
    sight = Sight(shown=f"{one.id} 0")
    assert gallery.viewer.updates(sight, "local")[gallery.viewer.trash]["value"] == "Restore"
    gallery.toggle_trash(None, sight.as_data(), "", "trash", "", 0)
    assert not queue.get(one.id).trashed


def test_nobody_sees_stars_deletes_or_sends_another_owners_render(
    queue: JobQueue, gallery: GalleryTab, tmp_path: Path
) -> None:
    theirs = finished(queue, clip(tmp_path / "theirs.mp4"), owner="bert")
    assert ids(gallery) == []
    assert ids(gallery, owner="bert") == [theirs.id]
    sight = Sight(shown=f"{theirs.id} 0", deleted=theirs.id).as_data()
    rooms = gr.Tabs()
    for act in (
        lambda: gallery.toggle_star(None, sight, *ALL),
        lambda: gallery.toggle_trash(None, sight, *ALL),
        lambda: gallery.undo_delete(None, sight, *ALL),
        lambda: gallery._reuses(rooms)(None, sight),
        lambda: gallery._sends(rooms, "super_resolution")(None, sight),
        lambda: gallery.open(None, sight, *ALL),
    ):
        updates: Any = act()
        assert rooms not in updates
        assert "There is no job" in updates[gallery.viewer.notice]
        assert updates[gallery.viewer.facts] == ""
    assert gallery.fill(None, sight)[gallery.viewer.player]["file"] is None
    kept = queue.get(theirs.id, "bert")
    assert (kept.favourite, kept.trashed) == (False, False)
    mine = finished(queue, clip(tmp_path / "mine.mp4"))
    beside = gallery.fill(None, Sight(shown=f"{mine.id} 0", beside=f"{theirs.id} 0").as_data())
    assert beside[gallery.viewer.pair]["before"] is None


def test_a_render_is_sent_as_it_is_with_the_settings_of_last_time(
    queue: JobQueue, gallery: GalleryTab, tmp_path: Path
) -> None:
    one, rooms, upscale = (
        finished(queue, clip(tmp_path / "a.mp4"), takes=2),
        gr.Tabs(),
        gallery.tabs["super_resolution"],
    )
    upscale.memory.save("local", upscale.form.defaults() | {"factor": 3, "start": 1.5, "end": 2.5})
    sent = gallery._sends(rooms, "super_resolution")(None, Sight(shown=f"{one.id} 1").as_data())
    components = upscale.form.components
    assert sent[rooms]["selected"] == "super_resolution"
    assert sent[components["video"]]["value"] == str(one.folder / "take_1.mp4")
    assert [sent[components[name]]["value"] for name in ("factor", "start", "end")] == [3, 0.0, None]
    reused = gallery._reuses(rooms)(None, Sight(shown=f"{one.id} 0").as_data())
    assert reused[components["video"]]["value"] == one.fields["video"]


def test_a_render_that_is_sent_to_be_edited_says_what_it_shows(
    queue: JobQueue, gallery: GalleryTab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, edit = finished(queue, clip(tmp_path / "a.mp4")), gallery.tabs["video_editing"]
    edit.memory.save("local", edit.form.defaults() | {"source_prompt": "another one", "prompt": "a rabbit spins"})
    send, sight = gallery._sends(gr.Tabs(), "video_editing"), Sight(shown=f"{one.id} 0").as_data()
    prompt, source = (edit.form.components[name] for name in ("prompt", "source_prompt"))
    assert send(None, sight)[source]["value"] == "another one", "its own record says nothing"
    monkeypatch.setattr("studio.source_prompt.prompt_in", lambda path: "a fox spins")
    sent = send(None, sight)
    assert [sent[field]["value"] for field in (prompt, source)] == ["a rabbit spins", "a fox spins"]


def test_the_last_frame_is_sent_to_what_begins_with_pictures(
    queue: JobQueue, gallery: GalleryTab, tmp_path: Path
) -> None:
    one, rooms = finished(queue, clip(tmp_path / "a.mp4")), gr.Tabs()
    sight = Sight(shown=f"{one.id} 0").as_data()
    animate, storyboard = gallery.tabs["image_animation"], gallery.tabs["storyboard"]
    animate.memory.save("local", animate.form.defaults() | {"prompt": "a fox spins"})
    sent = gallery._sends(rooms, "image_animation")(None, sight)
    assert sent[rooms]["selected"] == "image_animation"
    assert sent[animate.form.components["prompt"]]["value"] == "a fox spins"
    picture = Path(sent[animate.form.components["picture"]]["value"])
    last = np.asarray(read_clip(one.folder / "take_0.mp4").frames[-1], float)
    assert np.array_equal(np.asarray(Image.open(picture), float), last)
    assert gallery.owned.check(picture, "local", "picture") == picture.resolve()

    storyboard.memory.save("local", storyboard.form.defaults() | {"scenes": "1 s: a fox", "pictures": "/else/b.png"})
    sent = gallery._sends(rooms, "storyboard")(None, sight)
    assert sent[storyboard.form.components["pictures"]]["value"] == f"/else/b.png\n{picture}"
    assert sent[storyboard.form.components["scenes"]]["value"] == "1 s: a fox"


def test_takes_are_picked_and_the_next_pick_while_choosing_is_compared() -> None:
    sight = Sight().picked("a").picked("a", 2)
    assert sight == Sight(shown="a 2")
    choosing = sight.compare_pressed()
    assert choosing.picked("a", 1) == Sight(shown="a 2", beside="a 1")
    assert choosing.picked("a", 2) == sight
    assert choosing.compare_pressed() == choosing.picked("b").compare_pressed() == sight
    assert Sight().compare_pressed() == Sight()


@pytest.mark.parametrize("data", [None, [], "x", {"shown": "a 0", "more": 1}, 7])
def test_what_the_browser_kept_may_be_anything(data: Any) -> None:
    assert Sight.from_data(data) == Sight()


def test_a_take_is_a_number() -> None:
    assert [parsed(one) for one in ("a 3", "a", "a x", "a -1", "")] == [("a", 3), ("a", 0), ("a", 0), ("a", 0), ("", 0)]
    assert Sight.from_data({"shown": 7}).shown == 7
    assert parsed(Sight.from_data({"shown": 7}).shown) == ("7", 0)


def test_the_request_is_a_list_to_read_and_escaped(queue: JobQueue, tmp_path: Path) -> None:
    made = finished(queue, clip(tmp_path / "my <b>clip.mp4"))
    said = request_list(Settings(made.task, made.fields, made.inputs))
    assert "my &lt;b&gt;clip.mp4" in said
    assert str(queue.home) not in said
    assert "<dt>Factor</dt><dd>2</dd>" in said
    assert "What was left as it is" in said
    assert caption_of(queue.set_favourite(made.id, True), 4).startswith("★ my <b>clip.mp4 · 4 takes")


def test_one_frame_is_a_picture_and_two_renders_are_shown_in_step(queue: JobQueue, tmp_path: Path) -> None:
    owned, files = OwnedFiles(queue), FileServer()
    one = finished(queue, clip(tmp_path / "a.mp4"), takes=2)
    first, second = (one.folder / f"take_{take}.mp4" for take in range(2))
    value = playing(first, "a", owned, files)
    assert (value["moves"], value["fps"]) == (True, FPS)
    both = pair(first, second, ("left", "right"), owned, files)
    assert (both["moves"], both["start"], both["rate"], both["left"]) == (True, 0.0, 1.0, "left")
    still = clip(one.folder / "still.mp4", 1 / FPS)
    assert not playing(still, "a", owned, files)["moves"]
    assert not pair(first, still, ("", ""), owned, files)["moves"]
