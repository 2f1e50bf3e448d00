"""The gallery's disk panel: what it says, and that nothing goes before the question was answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.gallery_disk import facts_html, freed_sentence, panel_title, question_of, warning_html
from studio.gallery_imports import bring
from studio.gallery_sight import Sight
from studio.jobs.disk import TRASH_DAYS, Freed
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from studio.jobs.quota import DiskUse
from studio.tabs.gallery import GalleryTab
from tests.studio.footage_files import clip

ALL = ("", "all", "", 0)
GIGABYTE = 10**9


@pytest.fixture
def files(gallery: GalleryTab, tmp_path: Path) -> list[Job]:
    """Two imported files."""
    given = [clip(tmp_path / "a.mp4"), clip(tmp_path / "b.mp4", 0.5)]
    return [one.job for one in bring(given, gallery.owned, "local").imports]


def test_the_trash_is_emptied_only_after_the_question(gallery: GalleryTab, queue: JobQueue, files: list[Job]) -> None:
    disk, thrown = gallery.shelf.disk, files[0]
    assert not gallery.look_at_disk(None)[disk.ask["trash"]]["visible"]
    queue.delete(thrown.id)
    assert gallery.look_at_disk(None)[disk.ask["trash"]]["visible"]
    asked = gallery._asks("trash")(None)
    assert "1 item in the trash goes for good" in asked[disk.question]
    assert (asked[disk.asked], asked[disk.confirm]["visible"]) == ("trash", True)
    assert thrown.folder.exists()
    kept = gallery.look_at_disk(None)
    assert (kept[disk.asked], kept[disk.confirm]["visible"], thrown.folder.exists()) == ("", False, True)
    sight = Sight(shown=f"{thrown.id} 0").as_data()
    cleared = gallery.clear(None, "trash", sight, *ALL)
    assert "1 is gone for good" in cleared[disk.question]
    assert cleared[gallery.sight] == Sight().as_data()
    assert "There is no job" not in cleared[gallery.viewer.notice]
    assert not thrown.folder.exists()
    assert files[1].folder.exists()


def test_the_trash_says_when_it_is_emptied(gallery: GalleryTab, queue: JobQueue, files: list[Job]) -> None:
    queue.delete(files[0].id)
    shelf = gallery.shelf
    assert (
        f"1 item. Each goes for good {TRASH_DAYS} days after"
        in shelf.updates("local", "", "", "trash", "", 0)[shelf.said]
    )
    assert shelf.updates("local", "", *ALL)[shelf.said].endswith(">1 item</p>")


def test_what_is_shown_stays_when_something_else_goes(gallery: GalleryTab, queue: JobQueue, files: list[Job]) -> None:
    queue.delete(files[0].id)
    sight = Sight(shown=f"{files[1].id} 0").as_data()
    assert gallery.clear(None, "trash", sight, *ALL)[gallery.sight] == sight


@pytest.mark.parametrize("heap", ["", "everything", None])
def test_an_answer_without_a_question_removes_nothing(
    gallery: GalleryTab, queue: JobQueue, files: list[Job], heap: str
) -> None:
    queue.delete(files[0].id)
    gallery.clear(None, heap, Sight().as_data(), *ALL)
    assert files[0].folder.exists()


def test_words_for_every_state() -> None:
    free = DiskUse(used=3 * GIGABYTE)
    assert panel_title(free) == "Disk: 3.0 GB used"
    assert warning_html(free) == ""
    assert "meter" not in facts_html(free)
    assert f"more than {TRASH_DAYS} days goes for good. Nothing outside it ever goes by itself." in facts_html(free)
    tight = DiskUse(1_800_000_000, 2 * GIGABYTE, trash_jobs=2, trash_bytes=10**8, failed_jobs=1, failed_bytes=10**7)
    assert panel_title(tight) == "Disk: 1.8 GB of 2.0 GB used"
    assert "It gets tight: your files use 1.8 GB of the 2.0 GB" in warning_html(tight)
    assert 'aria-valuetext="1.8 GB of 2.0 GB"' in facts_html(tight)
    assert "In the trash: 2 items, 100 MB." in facts_html(tight)
    assert "Failed, cancelled or interrupted: 1 job, 10 MB." in facts_html(tight)
    full = DiskUse(2 * GIGABYTE, 2 * GIGABYTE)
    assert "No further render starts" in warning_html(full)
    assert "Move what you no longer need to the trash" in warning_html(full)
    assert question_of("failed", tight).startswith("1 failed, cancelled or interrupted job goes for good, with the")
    assert freed_sentence(Freed(2, 10**8)) == "2 are gone for good; 100 MB are free again."
    assert freed_sentence(Freed(0, 0)) == "There was nothing."
