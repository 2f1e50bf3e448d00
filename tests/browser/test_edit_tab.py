"""The Edit tab as a person uses it: a thing said by clicks is tinted, gone, or missed; words make another of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Locator, expect

from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.media.clip import Clip
from engines.media.metadata import OutputRecord
from engines.media.reader import ClipReader
from engines.media.writer import write_clip
from tests.browser.conftest import OpenPage
from tests.browser.footage_page import FootagePage
from tests.studio.footage_files import clip
from tests.studio.moving_square.running import RunningStudio

pytestmark = pytest.mark.browser

TASK = "video_editing"
WIDTH, HEIGHT = 96, 64
# Mean red of pixels of the browser's picture, at shares of its width and height.
RED_AT = """([id, x, y]) => {
    const image = document.querySelector(`#${id} img`);
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const pen = canvas.getContext('2d');
    pen.drawImage(image, 0, 0);
    return [...pen.getImageData(Math.round(x * canvas.width), Math.round(y * canvas.height), 1, 1).data].slice(0, 3);
}"""


class MarkPage(FootagePage):
    """The Edit tab, with a clip and the mark field open."""

    def choose_entry(self, name: str, entry: str) -> None:
        self.part(name).locator("input").click()
        self.part(name).get_by_role("option", name=entry, exact=True).click()

    def remove_what_i_mark(self) -> None:
        self.choose_entry("mode", "Remove a thing")
        self.choose_entry("selection", "What I mark")

    @property
    def frame(self) -> Locator:
        return self.part("mark-frame").locator("img")

    def click_pixel(self, x: int, y: int) -> None:
        """Clicks on the middle of a pixel of the clip."""
        box = self.frame.bounding_box()
        assert box is not None
        # A picture is shown as large as it fits, in the middle of its place.
        scale = min(box["width"] / WIDTH, box["height"] / HEIGHT, 5)
        left, top = (box["width"] - WIDTH * scale) / 2, (box["height"] - HEIGHT * scale) / 2
        self.frame.click(position={"x": left + (x + 0.5) * scale, "y": top + (y + 0.5) * scale})

    def says(self, words: str) -> None:
        expect(self.part("mark-said")).to_contain_text(words)

    def colour(self, x: int, y: int) -> npt.NDArray[np.float64]:
        """Of a pixel of the clip, as the mark field shows it."""
        place = [f"{self.task}-mark-frame", (x + 0.5) / WIDTH, (y + 0.5) / HEIGHT]
        return np.array(self.page.page.evaluate(RED_AT, place), float)


def decoded(path: Path) -> npt.NDArray[np.uint8]:
    return np.concatenate([np.asarray(chunk, np.uint8) for chunk in ClipReader(path)])


def test_a_thing_in_a_box_of_two_clicks_is_tinted_and_removed(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = MarkPage(open_page(square_studio), "Edit", TASK)
    source = clip(tmp_path / "square.mp4")
    tab.bring_and_see(source)
    tab.remove_what_i_mark()
    tab.says("Click on the thing")
    tab.part("mark-meaning").get_by_label("Box").check()
    plain = tab.colour(8, 28)
    tab.click_pixel(0, 17)
    tab.says("opposite corner")
    tab.click_pixel(18, 38)
    tab.says("1 mark on frame 0")
    # The square is orange, 240 140 40; the tint takes green and gives blue.
    assert tab.colour(8, 28)[2] > plain[2] + 40
    assert np.abs(tab.colour(60, 28) - 60).max() < 15
    tab.part("render").click()
    tab.wait_until_done()
    before, after = decoded(source), decoded(tab.page.download(tmp_path, TASK))
    assert after.shape == before.shape
    for number in (0, 5, 11):
        place = (number, slice(22, 34), slice(3 * number + 2, 3 * number + 14))
        assert before[place].mean((0, 1))[0] > 200
        assert after[place].mean((0, 1))[0] < 110, f"the square is still in frame {number}"


def test_an_empty_selection_is_said_beside_the_field_and_goes_away(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = MarkPage(open_page(square_studio), "Edit", TASK)
    tab.bring_and_see(clip(tmp_path / "nothing.mp4"))
    tab.remove_what_i_mark()
    if tab.part("mark-said").inner_text().find("Click on the thing") < 0:
        tab.part("mark-clear").click()
    tab.says("Click on the thing")
    tab.part("render").click()
    expect(tab.part("mark-message")).to_contain_text("Nothing is marked. Click on the thing")
    tab.click_pixel(8, 28)
    tab.says("1 mark on frame 0")
    expect(tab.part("mark-message")).to_be_hidden()
    tab.part("mark-undo").click()
    tab.says("Click on the thing")
    tab.choose_entry("selection", "A mask file")
    expect(tab.frame).to_be_hidden()
    tab.part("render").click()
    expect(tab.message("mask")).to_contain_text("There is no mask.")


def test_marks_are_there_again_after_a_reload_on_a_phone(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(square_studio, width=390, height=844)
    tab = MarkPage(page, "Edit", TASK)
    tab.bring_and_see(clip(tmp_path / "phone.mp4"))
    tab.remove_what_i_mark()
    tab.says("Click on the thing")
    tab.part("mark-meaning").get_by_label("Click on it").check()
    tab.click_pixel(8, 28)
    tab.says("1 mark on frame 0")
    assert not page.scrolls_sideways()
    page.leave_and_come_back()
    again = MarkPage(page, "Edit", TASK)
    again.says("1 mark on frame 0")
    assert again.colour(4, 24)[2] > 80
    again.part("mark-clear").click()
    again.says("Click on the thing")


def test_a_fox_becomes_a_rabbit_in_its_place(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path, screenshots: Path
) -> None:
    tab = MarkPage(open_page(square_studio), "Edit", TASK)
    words = "a fox slides right in the snow"
    fox = Thing(noun="fox", motion="slides right", seed=4)
    scene = render_scene(SceneSpec(scene="snow", actors=(fox,), sound=False, frames=17, seed=5))
    record = OutputRecord(framewright="0", request={"task": "text_to_video", "prompt": words})
    source = tmp_path / "fox.mp4"
    write_clip(source, Clip(scene.frames, Fraction(24)), metadata=record)
    tab.bring_and_see(source)
    tab.choose_entry("mode", "Change what it shows, by words")
    said = tab.part("source_prompt").locator("textarea")
    expect(said).to_have_value(words)
    tab.part("prompt").locator("textarea").fill("a rabbit slides right in the snow")
    tab.part("render").click()
    tab.wait_until_done()
    expect(tab.part("facts")).to_contain_text("inverted to")
    tab.page.picture(screenshots / "edit.png")
    made = decoded(tab.page.download(tmp_path, TASK))
    assert made.shape == (17, 384, 384, 3), "enlarged"
    small = made.reshape(17, 96, 4, 96, 4, 3).mean((2, 4))
    changed = np.abs(small - scene.frames).mean(-1)
    inside = scene.coverage[0] > 0.5
    around = np.stack([cv2.dilate(mask.astype(np.uint8), np.ones((33, 33), np.uint8)) for mask in inside]) > 0
    assert changed[inside].mean() > 25, "another thing"
    assert changed[~around].mean() < 8, "in the same place"
