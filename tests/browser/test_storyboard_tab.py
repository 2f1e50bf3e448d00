"""The Storyboard tab as a person uses it: scenes as lines, a time line, one film with music; on a phone, too."""

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
from tests.engines.composition.storyboard.test_music import tone
from tests.studio.moving_square.running import RunningStudio

pytestmark = pytest.mark.browser

TASK = "storyboard"
SCENES = (
    "0.7 s from 1: a red fox bounces on a green field\n"
    "continue 0.7 s: a red fox spins on a green field\n"
    "crossfade 0.7 s: a robot slides to the right in the snow | Later"
)


def write(tab: FootagePage, script: str) -> None:
    tab.part("scenes").locator("textarea").fill(script)


def test_scenes_become_one_film_with_music(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path, screenshots: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Storyboard", TASK)
    tab.part("pictures-group").get_by_text("Pictures that scenes", exact=False).first.click()
    fox = Thing(noun="fox", motion="bounces", seed=4)
    first = render_scene(SceneSpec(scene="field", actors=(fox,), sound=False, frames=1, seed=5)).frames[0]
    Image.fromarray(first).save(tmp_path / "fox.png")
    tab.bring_and_see(tmp_path / "fox.png", field="pictures")
    write(tab, SCENES)
    expect(tab.part("time-line").locator(".picture")).to_have_text("1")
    expect(tab.part("time-line").locator(".scene")).to_have_count(3)
    expect(tab.part("advice")).to_contain_text("in 2 takes")
    tab.part("music-group").get_by_text("Music", exact=True).first.click()
    tab.choose("music-choose", tone(tmp_path / "music.wav", 1.0))
    expect(tab.part("music-shown")).to_contain_text("music.wav")
    tab.part("render").click()
    tab.wait_until_done()
    tab.page.picture(screenshots / "storyboard.png")
    made = read_clip(tab.page.download(tmp_path, TASK))
    assert np.asarray(made.frames).shape == (39, 384, 384, 3)
    begins = np.asarray(made.frames[0], float).reshape(96, 4, 96, 4, 3).mean((1, 3))
    assert np.abs(begins - first).mean() < 8
    assert made.audio is not None
    assert float(np.abs(made.audio.samples).max()) > 0.02


def test_a_line_that_is_no_scene_is_said_beside_the_field_and_lines_come_back(
    square_studio: RunningStudio, open_page: OpenPage
) -> None:
    page = open_page(square_studio)
    tab = FootagePage(page, "Storyboard", TASK)
    write(tab, "0.7 s: a fox bounces in the snow\na cat spins")
    tab.part("render").click()
    expect(tab.part("scenes")).to_contain_text("Line 2 has no duration")
    write(tab, "0.7 s: a fox bounces in the snow")
    expect(tab.part("time-line").locator(".scene")).to_have_count(1)
    page.page.wait_for_timeout(1500)
    again = FootagePage(open_page(square_studio), "Storyboard", TASK)
    expect(again.part("scenes").locator("textarea")).to_have_value("0.7 s: a fox bounces in the snow")
    expect(again.part("time-line").locator(".scene")).to_have_count(1)


def test_it_fits_a_phone(square_studio: RunningStudio, open_page: OpenPage) -> None:
    page = open_page(square_studio, width=390, height=844)
    tab = FootagePage(page, "Storyboard", TASK)
    write(tab, "\n".join(f"{index + 1} s: a fox spins in the snow" for index in range(12)))
    expect(tab.part("time-line").locator(".scene")).to_have_count(12)
    assert not page.scrolls_sideways()
