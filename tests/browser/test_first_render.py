"""The whole path as a person walks it: a prompt, progress, a reload in the middle, a video that plays."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from engines.media.metadata import read_request
from tests.browser.conftest import OpenPage
from tests.studio.moving_square.running import RunningStudio

pytestmark = pytest.mark.browser

PROMPT = "a fox bounces on a green field"


def test_a_prompt_becomes_a_video_through_a_reload(
    studio: RunningStudio, open_page: OpenPage, screenshots: Path, tmp_path: Path
) -> None:
    page = open_page(studio)
    page.page.screenshot(path=screenshots / "studio_empty.png")
    page.write_prompt(PROMPT)
    page.fill_number("seed", 7)
    page.part("quality").get_by_role("button").first.click()
    page.fill_number("steps", 40)
    page.part("quality").get_by_role("button").first.click()
    page.render()

    first = page.wait_until_step(1)
    later = page.wait_until_step(first + 3)
    expect(page.part("screen").get_by_alt_text("Preview of the video so far")).to_be_visible()
    page.page.screenshot(path=screenshots / "studio_rendering.png")

    page.reload()
    assert page.wait_until_step(later) >= later
    expect(page.prompt).to_have_value(PROMPT)
    expect(page.part("cancel")).to_be_visible()

    page.wait_until_done()
    seen = page.playing()
    assert seen["readyState"] >= 2
    assert seen["times"] >= 3
    assert seen["loop"] is True
    assert (seen["width"], seen["height"]) == (96, 96)
    expect(page.progress).to_have_count(0)
    page.page.screenshot(path=screenshots / "studio.png")

    request = read_request(page.download(tmp_path))
    assert (request["prompt"], request["seed"], request["steps"]) == (PROMPT, 7, 40)

    page.reload()
    assert page.playing()["readyState"] >= 2
    page.page.locator(".theme-toggle").click()
    page.page.screenshot(path=screenshots / "studio_dark.png")


def test_a_phone_shows_one_column_with_the_stage_first(
    studio: RunningStudio, open_page: OpenPage, screenshots: Path
) -> None:
    page = open_page(studio, width=390, height=844)
    assert not page.scrolls_sideways()
    page.write_prompt(PROMPT)
    page.part("render").click()
    page.wait_until_step(1)
    assert not page.scrolls_sideways()
    stage, prompt = page.part("stage").bounding_box(), page.prompt.bounding_box()
    assert stage is not None
    assert prompt is not None
    assert stage["y"] < prompt["y"]
    page.page.screenshot(path=screenshots / "phone.png")
    page.wait_until_done()
    assert not page.scrolls_sideways()


def test_methods_can_be_searched(studio: RunningStudio, open_page: OpenPage, screenshots: Path) -> None:
    page = open_page(studio).page
    page.get_by_role("tab", name="Methods").click()
    cards = page.locator(".paper:visible")
    expect(cards).to_have_count(65)
    page.screenshot(path=screenshots / "methods.png")
    page.get_by_label("Search").fill("try-on")
    expect(cards).not_to_have_count(65)
    assert all("try-on" in text.lower() for text in cards.all_text_contents())
