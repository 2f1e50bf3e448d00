"""The queue in two windows: what is done in one is seen in the other; the keyboard keeps its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenPage
from tests.browser.studio_page import StudioPage
from tests.studio.moving_square.running import RunningStudio

pytestmark = pytest.mark.browser


class QueueOfPage:
    """The unfolded queue of one window."""

    def __init__(self, page: StudioPage) -> None:
        self.page = page
        page.page.locator("[data-action='toggle-queue']").click()
        expect(page.page.locator("#queue .queue-panel")).to_be_visible()

    def row(self, title: str) -> Locator:
        """Of the job with just this title: the jobs that other tests leave here are of foxes too."""
        rows = self.page.page.locator("#queue .queue-row")
        return rows.filter(has=self.page.page.get_by_role("heading", name=title, exact=True))

    def press(self, title: str, button: str) -> None:
        self.row(title).get_by_role("button", name=re.compile(f"^{button}")).click()

    @property
    def titles(self) -> Locator:
        """Of the jobs of this test, in their order: other tests leave theirs."""
        return self.page.page.locator("#queue .queue-row h3").filter(has_text=re.compile("that (lasts|waits)"))


def render(page: StudioPage, prompt: str, steps: int) -> None:
    page.write_prompt(prompt)
    page.fill_number("steps", steps)
    page.part("render").click()
    expect(page.page.locator("#text_to_video-stage")).not_to_contain_text("Your video appears here")
    page.page.wait_for_timeout(1200)


def test_two_windows_show_one_queue(square_studio: RunningStudio, open_page: OpenPage, screenshots: Path) -> None:
    one = open_page(square_studio)
    one.part("quality").get_by_role("button").first.click()
    # Nine of 200 steps: the first one outlasts the test, however busy the machine is.
    one.part("takes").get_by_label("9", exact=True).check()
    for prompt, steps in (("a fox that lasts", 200), ("a boat that waits", 1), ("a heart that waits", 1)):
        render(one, prompt, steps)
    first = QueueOfPage(one)
    second = QueueOfPage(open_page(square_studio))
    expect(second.titles).to_have_text([re.compile("fox"), re.compile("boat"), re.compile("heart")])
    expect(one.page).to_have_title(re.compile(r"^\d+ % – Framewright$"))

    second.press("a heart that waits", "Next")
    expect(first.titles).to_have_text([re.compile("fox"), re.compile("heart"), re.compile("boat")])
    second.press("a heart that waits", "Pause")
    expect(first.row("a heart that waits")).to_contain_text("Paused")
    second.row("a boat that waits").get_by_label("Priority of a boat that waits").select_option("low")
    first.press("a fox that lasts", "History")
    expect(first.row("a fox that lasts")).to_contain_text("Started")
    one.picture(screenshots / "queue.png")

    # Drawn again with every step, the queue leaves the keyboard where it was.
    cancel = second.row("a fox that lasts").get_by_role("button", name=re.compile("^Cancel"))
    cancel.focus()
    second.page.page.wait_for_timeout(5000)
    expect(cancel).to_be_focused()
    second.page.page.keyboard.press("Enter")
    expect(first.row("a fox that lasts")).to_contain_text("Cancelled")
    first.press("a heart that waits", "Resume")
    expect(first.row("a heart that waits")).to_have_count(0, timeout=60_000)
    first.press("a fox that lasts", "Dismiss")
    expect(second.row("a fox that lasts")).to_have_count(0)


def test_the_queue_fits_a_phone(square_studio: RunningStudio, open_page: OpenPage) -> None:
    page = open_page(square_studio, width=390, height=844)
    queue = QueueOfPage(page)
    assert not page.scrolls_sideways()
    page.page.keyboard.press("Escape")
    expect(queue.page.page.locator("#queue .queue-panel")).to_be_hidden()
