"""The gallery: find a render again, look at its frames, compare, keep, throw away, go on with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from playwright.sync_api import expect

from engines.media.probe import probe
from tests.browser.conftest import OpenPage
from tests.browser.gallery_page import GalleryPage
from tests.browser.test_accessibility import FAINT, NAMELESS
from tests.studio.moving_square.running import RunningStudio, running_studio

pytestmark = pytest.mark.browser

PROMPTS = ("a fox jumps over a log", "a red boat on a lake", "a kite above the dunes")


@pytest.fixture(scope="module")
def filled_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio of its own, with three renders; no other test adds to it."""
    with running_studio(tmp_path_factory.mktemp("gallery") / "home") as running:
        client = Client(running.url, verbose=False)
        for prompt in PROMPTS:
            reply = client.predict(prompt=prompt, steps=2, frames=17, api_name="/text_to_video")
            assert reply["status"] == "done", reply["error"]
        yield running


def test_a_render_is_found_played_frame_by_frame_and_downloaded(
    filled_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    gallery = GalleryPage(open_page(filled_studio))
    expect(gallery.thumbnails).to_have_text(list(reversed(PROMPTS)))
    gallery.part("words").locator("textarea, input").fill("BOAT lake")
    expect(gallery.thumbnails).to_have_count(1)
    gallery.choose(PROMPTS[1])
    player = gallery.part("player")
    player.get_by_role("button", name="Pause").click()
    player.get_by_label("Frame", exact=True).fill("0")
    expect(gallery.clock).to_contain_text("frame 1 of 17")
    for expected in (2, 3):
        gallery.page.page.keyboard.press(".")
        expect(gallery.clock).to_contain_text(f"frame {expected} of 17")
    gallery.page.page.keyboard.press(",")
    expect(gallery.clock).to_contain_text("frame 2 of 17")
    player.get_by_role("button", name="One frame on").click()
    expect(gallery.clock).to_contain_text("frame 3 of 17")
    expect(gallery.part("facts").locator(".request-list")).to_contain_text(PROMPTS[1])
    assert probe(gallery.page.download(tmp_path, "gallery")).kind == "video"
    gallery.part("words").locator("textarea, input").press_sequentially(".,")
    expect(gallery.clock).to_contain_text("frame 3 of 17")
    expect(gallery.part("said")).to_contain_text("Nothing here matches")


def test_a_star_is_kept_and_the_trash_gives_back(filled_studio: RunningStudio, open_page: OpenPage) -> None:
    gallery = GalleryPage(open_page(filled_studio))
    gallery.choose(PROMPTS[0])
    gallery.part("star").click()
    expect(gallery.thumbnails.filter(has_text="★")).to_have_count(1)
    gallery.show("Favourites")
    expect(gallery.thumbnails).to_have_text([f"★ {PROMPTS[0]}"])
    gallery.page.reload()
    gallery = GalleryPage(gallery.page)
    expect(gallery.part("star")).to_have_text("★ In favourites")
    expect(gallery.part("facts").locator(".facts-prompt")).to_have_text(PROMPTS[0])
    gallery.part("trash").click()
    expect(gallery.part("notice")).to_contain_text("lies in the trash")
    expect(gallery.thumbnails).to_have_count(2)
    gallery.part("undo").click()
    expect(gallery.thumbnails).to_have_count(3)
    gallery.part("trash").click()
    expect(gallery.thumbnails).to_have_count(2)
    gallery.show("Trash")
    expect(gallery.thumbnails).to_have_count(1)
    gallery.choose(PROMPTS[0])
    expect(gallery.part("trash")).to_have_text("Restore")
    gallery.part("trash").click()
    expect(gallery.part("said")).to_contain_text("The trash is empty.")
    gallery.show("All")
    expect(gallery.thumbnails).to_have_count(3)
    gallery.part("star").click()
    expect(gallery.part("star")).to_have_text("Add to favourites")


def test_two_renders_are_compared_in_step(filled_studio: RunningStudio, open_page: OpenPage) -> None:
    gallery = GalleryPage(open_page(filled_studio))
    gallery.choose(PROMPTS[0])
    gallery.part("compare").click()
    expect(gallery.part("notice")).to_contain_text("Choose the render to compare")
    gallery.thumbnails.filter(has_text=PROMPTS[2]).click()
    pair = gallery.part("pair").locator(".compare")
    expect(pair.locator("video")).to_have_count(2)
    expect(pair.locator(".compare-word.before")).to_contain_text("a fox jumps")
    expect(pair.locator(".compare-word.after")).to_contain_text("a kite above")
    gallery.page.page.wait_for_function(
        "() => [...document.querySelectorAll('#gallery-pair video')].filter((one) => one.readyState >= 2).length == 2"
    )
    pair.get_by_label("Time").fill("0.5")
    gallery.page.page.wait_for_timeout(700)
    times = pair.locator("video").evaluate_all("(all) => all.map((one) => one.currentTime)")
    assert abs(times[0] - times[1]) < 0.02
    assert times[0] == pytest.approx(0.5, abs=0.05)
    border = pair.get_by_label("Border between the two renders")
    border.fill("20")
    assert pair.locator(".compare-pictures").evaluate("(one) => one.style.getPropertyValue('--wipe')") == "20%"
    expect(gallery.part("compare")).to_have_text("End comparing")
    gallery.part("compare").click()
    expect(gallery.part("player").locator("video")).to_be_visible()
    expect(pair).to_have_count(0)


def test_settings_are_reused_and_a_render_is_sent_on(filled_studio: RunningStudio, open_page: OpenPage) -> None:
    gallery = GalleryPage(open_page(filled_studio))
    gallery.choose(PROMPTS[1])
    gallery.part("reuse").click()
    expect(gallery.page.prompt).to_have_value(PROMPTS[1])
    expect(gallery.page.part("render")).to_be_visible()
    gallery.page.part("quality").get_by_role("button").first.click()
    expect(gallery.page.part("steps").locator("input[type=number]")).to_have_value("2")
    for task, title in (("super_resolution", "Upscale"), ("interpolation", "Interpolate")):
        GalleryPage(gallery.page).part(f"send-{task}").click()
        source = gallery.page.page.locator(f"#{task}-video-source")
        expect(source.locator("video")).to_be_visible()
        expect(source.locator(".source-name")).to_contain_text(".mp4")
        expect(gallery.page.page.get_by_role("tab", name=title, exact=True)).to_have_attribute("aria-selected", "true")
    GalleryPage(gallery.page).part("send-image_animation").click()
    source = gallery.page.page.locator("#image_animation-picture-source")
    expect(source.locator(".source-name")).to_contain_text("_last_frame.png")
    GalleryPage(gallery.page)
    gallery.page.open_room("Interpolate")
    gallery.page.page.locator("#interpolation-render").click()
    expect(gallery.page.page.locator("#interpolation-download")).to_be_visible()
    gallery = GalleryPage(gallery.page)
    expect(gallery.thumbnails).to_have_count(4)
    gallery.thumbnails.first.click()
    gallery.part("reuse").click()
    expect(gallery.page.page.locator("#interpolation-render")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_controls_have_names_and_texts_have_contrast(
    filled_studio: RunningStudio, open_page: OpenPage, dark: bool
) -> None:
    gallery = GalleryPage(open_page(filled_studio, dark=dark))
    gallery.choose(PROMPTS[1])
    gallery.part("facts").locator("summary").click()
    gallery.page.page.wait_for_timeout(400)
    assert gallery.page.page.evaluate(NAMELESS) == []
    assert gallery.page.page.evaluate(FAINT) == []


def test_a_phone_shows_the_player_first_and_nothing_sideways(filled_studio: RunningStudio, open_page: OpenPage) -> None:
    gallery = GalleryPage(open_page(filled_studio, width=390, height=844))
    gallery.choose(PROMPTS[1])
    gallery.page.page.wait_for_timeout(800)
    top = gallery.part("viewer").bounding_box()
    assert top is not None
    assert -40 < top["y"] < 400
    assert not gallery.page.scrolls_sideways()
    small = gallery.page.page.evaluate(
        """() => [...document.querySelectorAll('.gallery button, .gallery summary, .gallery input[type=range]')]
            .filter((one) => one.offsetParent !== null && one.getBoundingClientRect().height < 40)
            .map((one) => `${one.textContent.trim()} ${one.getBoundingClientRect().height}`)"""
    )
    assert small == []
