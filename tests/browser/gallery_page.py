"""What a person does in the Gallery tab."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.studio_page import StudioPage


class GalleryPage:
    """The gallery of an open page."""

    def __init__(self, page: StudioPage) -> None:
        self.page = page
        page.open_room("Gallery")
        expect(self.part("said").locator(".gallery-said")).to_have_text(re.compile("."))

    def part(self, name: str) -> Locator:
        """A component by the end of its element id."""
        return self.page.page.locator(f"#gallery-{name}")

    @property
    def thumbnails(self) -> Locator:
        return self.part("thumbnails").locator(".film-frame")

    @property
    def clock(self) -> Locator:
        return self.part("player").locator(".frame-clock")

    def choose(self, prompt: str) -> None:
        self.thumbnails.filter(has_text=prompt).click()
        expect(self.part("facts").locator(".facts-prompt")).to_have_text(prompt)
        self.page.page.wait_for_function("() => document.querySelector('#gallery-player video')?.readyState >= 2")

    def show(self, view: str) -> None:
        self.part("view").get_by_label(view, exact=True).check()

    def bring(self, *files: Path) -> None:
        """Imports files and waits until the page says what became of them."""
        with self.page.page.expect_file_chooser() as waiting:
            self.part("import").click()
        waiting.value.set_files([str(file) for file in files])
        expect(self.part("brought").locator("p, li").first).not_to_have_text(re.compile("^Looking at"))

    def open_disk(self) -> None:
        """Unfolds the disk panel."""
        facts = self.part("disk-facts").locator(".disk-facts")
        if not facts.is_visible():
            self.part("disk").get_by_role("button").first.click()
        expect(facts).to_be_visible()
