"""The Animate tab as a person uses it: a picture, words, a video; at a desk and on a phone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.media.reader import read_clip
from tests.browser.conftest import OpenPage
from tests.browser.footage_page import FootagePage
from tests.studio.moving_square.running import RunningStudio

pytestmark = pytest.mark.browser

TASK = "image_animation"


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    thing = Thing(noun="fox", motion="bounces", seed=4)
    scene = render_scene(SceneSpec(scene="snow", actors=(thing,), sound=False, frames=1, seed=5))
    path = tmp_path_factory.mktemp("pictures") / "fox.png"
    Image.fromarray(scene.frames[0]).save(path)
    return path


def say(tab: FootagePage, prompt: str) -> None:
    tab.part("prompt").locator("textarea").fill(prompt)


def test_a_picture_starts_to_move(
    square_studio: RunningStudio, open_page: OpenPage, fox: Path, tmp_path: Path, screenshots: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Animate", TASK)
    tab.bring_and_see(fox, field="picture")
    say(tab, "a fox bounces in the snow")
    tab.part("render").click()
    tab.wait_until_done()
    tab.page.picture(screenshots / "animate.png")
    made = np.asarray(read_clip(tab.page.download(tmp_path, TASK)).frames, float)
    assert made.shape == (34, 384, 384, 3), "finished"
    first = made[0].reshape(96, 4, 96, 4, 3).mean((1, 3))
    assert np.abs(first - np.asarray(Image.open(fox), float)).mean() < 8
    assert np.abs(made[16] - made[0]).mean() > 1
    expect(tab.part("again")).to_be_visible()
    tab.part("again").click()
    expect(tab.number("seed")).to_have_value("1")
    tab.wait_until_done()


def test_without_a_picture_the_field_says_so_and_words_come_back(
    square_studio: RunningStudio, open_page: OpenPage
) -> None:
    page = open_page(square_studio)
    tab = FootagePage(page, "Animate", TASK)
    tab.clear("picture")
    say(tab, "a zeppelin bounces in the snow")
    tab.part("render").click()
    expect(tab.message("picture")).to_contain_text("There is no picture yet")


def test_it_fits_a_phone(square_studio: RunningStudio, open_page: OpenPage, fox: Path) -> None:
    page = open_page(square_studio, width=390, height=844)
    tab = FootagePage(page, "Animate", TASK)
    tab.clear("picture")
    tab.bring_and_see(fox, field="picture")
    assert not page.scrolls_sideways()
    expect(tab.part("movement")).to_be_visible()
