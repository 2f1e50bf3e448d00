"""The whole path as a person walks it: a prompt, progress, a reload in the middle, a video that plays.

With the bundled model and its real engine. FRAMEWRIGHT_SCREENSHOTS=1 renews the README's pictures on the way.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from engines.media.metadata import read_request
from engines.media.reader import ClipReader
from tests.browser.conftest import OpenPage, ReadClip
from tests.browser.studio_page import StudioPage
from tests.studio.moving_square.running import RunningStudio

pytestmark = pytest.mark.browser

# Prompt, noun and scene in the Diorama's own words, seed.
FIXED = [
    ("a fox bounces on a green field", "fox", "field", 1),
    ("a heart rises in front of a grey wall", "heart", "grey wall", 2),
    ("a watermelon slides right on the beach", "watermelon", "beach", 3),
]
PROMPT = FIXED[0][0]
STEPS = 200  # so many that no machine is done while the page loads again


def test_a_prompt_becomes_a_video_through_a_reload(studio: RunningStudio, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(studio)
    page.write_prompt(PROMPT)
    page.fill_number("seed", 7)
    page.part("quality").get_by_role("button").first.click()
    page.fill_number("steps", STEPS)
    page.render()

    first = page.wait_until_step(1)
    later = page.wait_until_step(first + 3)
    expect(page.part("screen").get_by_alt_text("Preview of the video so far")).to_be_visible()

    page.reload()
    assert page.wait_until_step(later) >= later
    expect(page.prompt).to_have_value(PROMPT)
    expect(page.part("cancel")).to_be_visible()

    page.wait_until_done()
    seen = page.playing()
    assert seen["readyState"] >= 2
    assert seen["times"] >= 3
    assert seen["loop"] is True
    assert (seen["width"], seen["height"]) == (384, 384)
    expect(page.progress).to_have_count(0)

    request = read_request(page.download(tmp_path))
    assert (request["prompt"], request["seed"], request["steps"], request["finish"]) == (PROMPT, 7, STEPS, True)
    as_made = ClipReader(page.download(tmp_path, button="unfinished"))
    assert (as_made.width, as_made.height, as_made.fps) == (96, 96, 24)

    page.reload()
    assert page.playing()["readyState"] >= 2


def test_the_videos_show_what_the_prompts_say(
    studio: RunningStudio, open_page: OpenPage, read_clip: ReadClip, screenshots: Path, tmp_path: Path
) -> None:
    page = open_page(studio)
    page.part("quality").get_by_role("button").first.click()
    page.fill_number("steps", 20)
    page.part("quality").get_by_role("button").first.click()
    said = [rendered(page, prompt, seed, read_clip, tmp_path) for prompt, _, _, seed in FIXED]
    right = [seen == (noun, scene) for seen, (_, noun, scene, _) in zip(said, FIXED, strict=True)]
    assert sum(right) >= 2, said
    page.playing()
    page.picture(screenshots / "text_to_video.png")
    page.page.locator(".theme-toggle").click()
    page.picture(screenshots / "dark.png")


def rendered(page: StudioPage, prompt: str, seed: int, read_clip: ReadClip, folder: Path) -> tuple[str, str]:
    """Renders through the page. Returns: noun and scene that Judge B sees in the clip as the model made it."""
    page.write_prompt(prompt)
    page.fill_number("seed", seed)
    page.render()
    expect(page.part("facts")).to_contain_text(prompt)
    file = page.download(folder, button="unfinished")
    assert read_request(file)["prompt"] == prompt
    labels = read_clip(np.concatenate(list(ClipReader(file))))
    return labels.noun, labels.scene


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
    page.wait_until_done()
    assert not page.scrolls_sideways()
    page.playing()
    page.picture(screenshots / "phone.png")


def test_methods_can_be_searched(studio: RunningStudio, open_page: OpenPage, screenshots: Path) -> None:
    page = open_page(studio)
    page.page.get_by_role("tab", name="Methods").click()
    cards = page.page.locator(".paper:visible")
    expect(cards).to_have_count(65)
    page.picture(screenshots / "methods.png")
    page.page.get_by_label("Search").fill("try-on")
    expect(cards).not_to_have_count(65)
    assert all("try-on" in text.lower() for text in cards.all_text_contents())
