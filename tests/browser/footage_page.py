"""What a person does in a tab about their own footage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.studio_page import RENDER_MILLISECONDS, StudioPage, fill_and_keep


class FootagePage:
    """One tab about footage of an open page.

    Args:
        page: Open.
        title: The tab's name.
        task: Prefix of its element ids.
    """

    def __init__(self, page: StudioPage, title: str, task: str) -> None:
        self.page, self.task = page, task
        page.open_room(title)
        expect(self.part("render")).to_be_visible()
        # The form of last time is back, whatever the tests before this one left in it.
        page.page.wait_for_function("(id) => document.getElementById(id).querySelector('textarea, input').value",
                                    arg=f"{task}-kept")  # fmt: skip
        for name in ("video", "picture"):
            if self._kept().get(f"{task}-{name}"):
                expect(self.part(f"{name}-source")).to_be_visible()
        page.page.wait_for_timeout(1000)

    def _kept(self) -> dict[str, Any]:
        """Element id → value of the last time."""
        kept = json.loads(self.part("kept").locator("textarea, input").first.input_value())
        return dict(zip(kept["ids"], kept["values"], strict=True))

    def part(self, name: str) -> Locator:
        """A component by the end of its element id."""
        return self.page.page.locator(f"#{self.task}-{name}")

    def bring(self, *files: Path, field: str = "video") -> None:
        """Drops files where they belong."""
        if self.part(f"{field}-another").is_visible():
            self.choose(f"{field}-another", *files)
        else:
            paths = [str(file) for file in files]
            self.part(f"{field}-drop").locator("input[type=file]").set_input_files(paths)

    def clear(self, field: str = "video") -> None:
        """Takes the file away, if there is one."""
        if self.part(f"{field}-remove").is_visible():
            self.part(f"{field}-remove").click()
            expect(self.part(f"{field}-drop")).to_be_visible()

    def choose(self, button: str, *files: Path) -> None:
        """Presses a button that asks for files."""
        with self.page.page.expect_file_chooser() as waiting:
            self.part(button).click()
        waiting.value.set_files([str(file) for file in files])

    def bring_and_see(self, file: Path, field: str = "video") -> None:
        self.bring(file, field=field)
        expect(self.part(f"{field}-source").locator(".source-name")).to_have_text(file.name)

    def message(self, field: str = "video") -> Locator:
        return self.part(f"{field}-message")

    def fill_number(self, name: str, value: float) -> None:
        fill_and_keep(self.page.page, self.number(name), f"{value:g}")

    def number(self, name: str) -> Locator:
        return self.part(name).locator("input[type=number]")

    def wait_until_done(self) -> None:
        expect(self.part("download")).to_be_visible(timeout=RENDER_MILLISECONDS)

    @property
    def finished(self) -> Locator:
        """The clips below the stage."""
        return self.part("recent").locator(".film-frame")

    @property
    def compare(self) -> Locator:
        return self.part("compare").locator(".compare")

    def times_in_step(self, seconds: Sequence[float]) -> list[list[float]]:
        """[time of "after", time of "before"] after the clock was set to each of these seconds."""
        self.page.page.wait_for_function(
            "(task) => { const all = [...document.querySelectorAll(`#${task}-compare video`)];"
            " return all.length === 2 && all.every((one) => one.readyState >= 2) }",
            arg=self.task,
        )
        found: list[list[float]] = self.page.page.evaluate(
            """async ([task, seconds]) => {
                const root = document.querySelector(`#${task}-compare`);
                const after = root.querySelector('video.compare-after');
                const before = root.querySelector('.compare-before video');
                const still = () => new Promise((wake) => setTimeout(wake, 700));
                const found = [];
                for (const second of seconds) {
                    const time = root.querySelector('.compare-time');
                    time.value = second;
                    time.dispatchEvent(new Event('input', {bubbles: true}));
                    await still();
                    found.push([after.currentTime, before.currentTime]);
                }
                return found;
            }""",
            [self.task, list(seconds)],
        )
        return found

    def shown_share(self) -> float:
        """Percent of the width that show "before"."""
        share = self.page.page.evaluate(
            "(task) => document.querySelector(`#${task}-compare .compare-pictures`).style.getPropertyValue('--wipe')",
            self.task,
        )
        return float(str(share).removesuffix("%"))

    def sizes(self) -> dict[str, Any]:
        """Width of the video before and after, in pixels."""
        found: dict[str, Any] = self.page.page.evaluate(
            """(task) => {
                const root = document.querySelector(`#${task}-compare`);
                return {after: root.querySelector('video.compare-after').videoWidth,
                    before: root.querySelector('.compare-before video').videoWidth};
            }""",
            self.task,
        )
        return found
