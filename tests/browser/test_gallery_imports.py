"""The gallery with a person's own files, and with a disk that gets full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.gallery_page import GalleryPage
from tests.browser.test_accessibility import FAINT, NAMELESS
from tests.studio.footage_files import clip, picture
from tests.studio.moving_square.running import RunningStudio, running_studio

pytestmark = pytest.mark.browser

PROMPT = "a fox jumps over a log"


@pytest.fixture(scope="module")
def small_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio of its own with one render, whose people may use 1 MB each."""
    with running_studio(tmp_path_factory.mktemp("imports") / "home", quota_gigabytes=0.001) as running:
        client = Client(running.url, verbose=False)
        reply = client.predict(prompt=PROMPT, steps=1, frames=17, api_name="/text_to_video")
        assert reply["status"] == "done", reply["error"]
        yield running


def test_own_files_are_imported_compared_and_sent_on(
    small_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    gallery = GalleryPage(open_page(small_studio))
    notes = tmp_path / "notes.mp4"
    notes.write_text("no video", encoding="utf-8")
    beach = clip(tmp_path / "beach.mp4")
    gallery.bring(beach, picture(tmp_path / "hill.png"), notes)
    expect(gallery.part("brought")).to_contain_text("2 files are in the gallery now.")
    expect(gallery.part("brought").get_by_role("alert")).to_contain_text("“notes.mp4” cannot be read")
    expect(gallery.thumbnails).to_have_text(["hill.png", "beach.mp4", PROMPT])
    expect(gallery.part("facts").locator(".facts-prompt")).to_have_text("beach.mp4")
    expect(gallery.part("facts")).to_contain_text("It comes from elsewhere")
    expect(gallery.part("reuse")).to_be_hidden()
    gallery.page.page.wait_for_function("() => document.querySelector('#gallery-player video')?.readyState >= 2")
    gallery.bring(beach)
    expect(gallery.part("brought")).to_contain_text("“beach.mp4” is in the gallery already; it is not doubled.")
    expect(gallery.thumbnails).to_have_count(3)
    gallery.part("compare").click()
    gallery.thumbnails.filter(has_text=PROMPT).click()
    expect(gallery.part("pair").locator("video")).to_have_count(2)
    expect(gallery.part("pair").locator(".compare-word.before")).to_contain_text("beach.mp4")
    gallery.part("compare").click()
    gallery.part("send-super_resolution").click()
    expect(gallery.page.page.locator("#super_resolution-video-source .source-name")).to_have_text("beach.mp4")


def test_a_render_that_was_downloaded_and_changed_hands_brings_its_settings(
    small_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    gallery = GalleryPage(open_page(small_studio))
    gallery.choose(PROMPT)
    file = gallery.page.download(tmp_path, "gallery")
    gallery.bring(file)
    expect(gallery.part("brought")).to_contain_text("is in the gallery already")
    # Other bytes of the same video, as another program leaves them: what follows the last box is no matter to players.
    other = tmp_path / "from a friend.mp4"
    other.write_bytes(file.read_bytes() + b"\x00\x00\x00\x0cfree" + bytes(4))
    gallery.bring(other)
    expect(gallery.part("facts").locator(".request-list h3")).to_have_text("Settings: made with Text to video")
    gallery.part("reuse").click()
    expect(gallery.page.prompt).to_have_value(PROMPT)


def test_the_disk_is_shown_and_given_back_after_a_question(
    small_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    gallery = GalleryPage(open_page(small_studio))
    gallery.bring(clip(tmp_path / "thrown.mp4", 2.0))
    expect(gallery.part("facts").locator(".facts-prompt")).to_have_text("thrown.mp4")
    gallery.part("trash").click()
    expect(gallery.part("notice")).to_contain_text("lies in the trash")
    gallery.open_disk()
    expect(gallery.part("disk").get_by_role("meter")).to_be_visible()
    expect(gallery.part("disk-facts")).to_contain_text("In the trash: 1 item")
    gallery.part("clear-trash").click()
    expect(gallery.part("disk-question")).to_contain_text("It cannot be undone.")
    gallery.part("keep").click()
    expect(gallery.part("confirm")).to_be_hidden()
    gallery.part("clear-trash").click()
    gallery.part("confirm").click()
    expect(gallery.part("disk-question")).to_contain_text("1 is gone for good")
    expect(gallery.part("clear-trash")).to_be_hidden()
    gallery.show("Trash")
    expect(gallery.part("said")).to_contain_text("The trash is empty.")


def test_a_full_disk_warns_and_refuses_the_next_render(small_studio: RunningStudio, open_page: OpenPage) -> None:
    page = open_page(small_studio)
    (small_studio.home / "jobs").joinpath(_a_job(small_studio), "work", "large.bin").write_bytes(bytes(2 * 10**6))
    gallery = GalleryPage(page)
    expect(gallery.part("disk-warning")).to_contain_text("No further render starts")
    page.page.get_by_role("tab", name="Text to video", exact=True).click()
    page.prompt.fill("a boat")
    page.render()
    expect(page.page.get_by_test_id("toast-body")).to_contain_text("of the 1 MB that you may use")
    for file in small_studio.home.glob("jobs/*/work/large.bin"):
        file.unlink()


def _a_job(studio: RunningStudio) -> str:
    return next(folder.name for folder in (studio.home / "jobs").iterdir())


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_controls_have_names_and_texts_have_contrast(
    small_studio: RunningStudio, open_page: OpenPage, tmp_path: Path, dark: bool
) -> None:
    gallery = GalleryPage(open_page(small_studio, dark=dark))
    bad = tmp_path / "notes.mp4"
    bad.write_text("no video", encoding="utf-8")
    gallery.bring(bad)
    gallery.thumbnails.first.click()
    gallery.part("trash").click()
    gallery.open_disk()
    gallery.part("clear-trash").click()
    expect(gallery.part("confirm")).to_be_visible()
    gallery.page.page.wait_for_timeout(400)
    assert gallery.page.page.evaluate(NAMELESS) == []
    assert gallery.page.page.evaluate(FAINT) == []
    gallery.part("undo").click()
    expect(gallery.part("notice")).to_contain_text("back in the gallery")


def test_a_phone_has_room_for_import_and_disk(small_studio: RunningStudio, open_page: OpenPage, tmp_path: Path) -> None:
    gallery = GalleryPage(open_page(small_studio, width=390, height=844))
    gallery.open_disk()
    assert not gallery.page.scrolls_sideways()
    small = gallery.page.page.evaluate(
        """() => [...document.querySelectorAll('.gallery button')]
            .filter((one) => one.offsetParent !== null && one.getBoundingClientRect().height < 40)
            .map((one) => `${one.textContent.trim()} ${one.getBoundingClientRect().height}`)"""
    )
    assert small == []
