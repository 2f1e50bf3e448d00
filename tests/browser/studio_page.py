"""What a person does on the page and sees there, in the words of the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, TimeoutError, expect

TASK = "text_to_video"
FILLED_AGAIN, SETTLE_MILLISECONDS = 5, 200
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# A render takes half a minute on a free machine; a busy or throttled one is no error of the page.
RENDER_MILLISECONDS = 360_000
# Of a busy machine; a page that stays away is an error all the same.
PATIENCE_MILLISECONDS = 90_000
# A stream that the reload of a page cuts off is not an error of ours.
CUT_OFF = "net::ERR_ABORTED"


def fill_and_keep(page: Page, field: Locator, value: str) -> None:
    """Fills a field until it keeps the value: one of a group that was just opened stands in the page before it listens,
    and on a busy machine it is drawn once more after that, as it was."""
    for _ in range(FILLED_AGAIN):
        expect(field).to_be_editable()
        page.evaluate(TWO_FRAMES)
        field.fill(value)
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        if field.input_value() == value:
            return
    raise AssertionError(f"the field never kept {value}; it says {field.input_value()}")


class StudioPage:
    """The Text to video tab in one browser window.

    Attributes:
        page: Playwright's page.
        problems: Console errors, script errors and requests to other hosts since it was opened.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.host = urlparse(url).netloc
        self.problems: list[str] = []
        self.leaving = False
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        page.on("request", self._see_request)
        page.goto(url)
        self.wait_until_ready()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and CUT_OFF not in message.text and not self.leaving:
            self.problems.append(f"console: {message.text}")

    def _see_request(self, request: Request) -> None:
        address = urlparse(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != self.host:
            self.problems.append(f"request to {request.url}")

    def part(self, name: str) -> Locator:
        """A component by the end of its element id."""
        return self.page.locator(f"#{TASK}-{name}")

    def wait_until_ready(self) -> None:
        """Loaded and attached: the load event has put the estimate there."""
        expect(self.part("render")).to_be_visible()
        expect(self.part("estimate").locator("p")).to_be_visible()

    def leave_and_come_back(self) -> None:
        """Reloads without waiting. What the old page says of requests that are cut off is no error of ours."""
        self.leaving = True
        self.page.reload(wait_until="commit")
        self.leaving = False

    def reload(self) -> None:
        self.leave_and_come_back()
        self.wait_until_ready()

    @property
    def prompt(self) -> Locator:
        return self.page.get_by_label("Prompt", exact=False).first

    def write_prompt(self, text: str) -> None:
        self.prompt.fill(text)

    def fill_number(self, name: str, value: int) -> None:
        fill_and_keep(self.page, self.part(name).locator("input[type=number]"), str(value))

    def choose(self, name: str, entry: str) -> None:
        """Opens a menu and takes an entry."""
        self.part(name).locator("input").click()
        self.part(name).get_by_role("option", name=entry, exact=True).click()

    def choose_length(self, entry: str, said: str) -> None:
        """Takes an entry of the length menu and waits until the estimate says it."""
        self.choose("length", entry)
        expect(self.part("estimate")).to_contain_text(said)

    def open_group(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=False).first.click()

    def render(self) -> None:
        self.page.keyboard.press("Control+Enter")

    @property
    def progress(self) -> Locator:
        return self.part("progress").get_by_role("progressbar")

    def step(self) -> int:
        """Finished steps on the bar; −1 while there is none."""
        script = "(task) => document.querySelector(`#${task}-progress [role=progressbar]`)?.ariaValueNow ?? -1"
        return int(self.page.evaluate(script, TASK))

    def wait_until_step(self, step: int) -> int:
        """Waits for the denoising bar to reach this step. Returns the step that it shows."""
        try:
            self.page.wait_for_function(
                "([task, step]) => { const bar = document.querySelector(`#${task}-progress [role=progressbar]`);"
                " return bar && bar.ariaLabel.startsWith('Drawing') && Number(bar.ariaValueNow) >= step }",
                arg=[TASK, step],
                timeout=RENDER_MILLISECONDS,
            )
        except TimeoutError as error:
            raise AssertionError(f"the bar never showed step {step}; the page says: {self.says()}") from error
        return self.step()

    def says(self) -> dict[str, Any]:
        """What stands on the stage and in the form, for the message of a test that failed."""
        fields: dict[str, str] = self.page.evaluate(
            "() => Object.fromEntries([...document.querySelectorAll('.field input, .field textarea')]"
            ".map((one) => [one.closest('.field').id + ' ' + one.type, one.type == 'radio' ? one.checked : one.value]))"
        )
        return {"fields": fields, "stage": self.part("stage").inner_text(), "problems": self.problems,
                "progress": self.part("progress").inner_html()}  # fmt: skip

    def wait_until_done(self) -> None:
        expect(self.part("download")).to_be_visible(timeout=RENDER_MILLISECONDS)

    def playing(self) -> dict[str, Any]:
        """The stage's video once it has data: readyState, currentTime a moment apart, width and height in pixels."""
        self.page.wait_for_function(
            "(task) => { const v = document.querySelector(`#${task}-video video`); return v && v.readyState >= 2 }",
            arg=TASK,
        )
        seen: dict[str, Any] = self.page.evaluate(
            """async (task) => {
                const video = document.querySelector(`#${task}-video video`);
                video.muted = true;
                await video.play();
                const times = new Set();
                let ready = video.readyState; // a clip that loops falls back for a moment while it seeks its beginning
                for (let i = 0; i < 20 && times.size < 4; i++) {
                    times.add(video.currentTime);
                    ready = Math.max(ready, video.readyState);
                    await new Promise((wake) => setTimeout(wake, 60));
                }
                return {readyState: ready, times: times.size, loop: video.loop,
                    width: video.videoWidth, height: video.videoHeight};
            }""",
            TASK,
        )
        return seen

    def download(self, folder: Path, task: str = TASK, button: str = "download") -> Path:
        """Presses Download, or another button that gives a file, in the tab of a task. Returns the file."""
        with self.page.expect_download() as waiting:
            self.page.locator(f"#{task}-{button}").click()
        target = folder / waiting.value.suggested_filename
        waiting.value.save_as(target)
        return target

    def upload(self, file: Path) -> None:
        """Reuse settings from a file."""
        with self.page.expect_file_chooser() as waiting:
            self.part("upload").click()
        waiting.value.set_files(file)

    def open_room(self, name: str) -> None:
        """Opens a tab of the page, where it is: a phone has no room for all, and Gradio puts the last into a menu."""
        tab = self.page.get_by_role("tab", name=name, exact=True).filter(visible=True)
        menu = self.page.locator("#rooms .overflow-menu > button")
        # Right after a reload neither is there yet.
        expect(tab.or_(menu.filter(visible=True)).first).to_be_visible()
        if tab.count() == 0:
            menu.click()
            tab = self.page.locator("#rooms .overflow-dropdown button", has_text=name)
        tab.click()

    def picture(self, path: Path) -> None:
        """The window from the top of the page, when hovering and colour changes are over."""
        self.page.mouse.move(0, 0)
        self.page.evaluate("() => window.scrollTo(0, 0)")
        self.page.wait_for_timeout(800)
        self.page.screenshot(path=path)

    def scrolls_sideways(self) -> bool:
        return bool(self.page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"))
