"""Somebody's own footage: files in, a part tried first, before and after in step, and what is wrong beside the file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from safetensors.numpy import save_file

from engines.media.formats import h265
from engines.media.probe import probe
from tests.browser.conftest import OpenPage
from tests.browser.footage_page import FootagePage
from tests.studio.footage_files import FPS, clip, picture
from tests.studio.moving_square.running import RunningStudio

pytestmark = pytest.mark.browser

TABS = {"Upscale": "super_resolution", "Interpolate": "interpolation"}


@pytest.mark.parametrize("title", list(TABS))
def test_a_clip_is_rendered_compared_and_downloaded(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path, title: str
) -> None:
    tab = FootagePage(open_page(square_studio), title, TABS[title])
    tab.bring_and_see(clip(tmp_path / "holiday.mp4", 2.0))
    expect(tab.part("video-source")).to_contain_text("96 × 64 · 12 frames per second · 0:02")
    expect(tab.part("estimate").locator("p")).to_be_visible()
    tab.part("render").click()
    tab.wait_until_done()
    expect(tab.part("facts")).to_contain_text("holiday.mp4")
    for after, before in tab.times_in_step([0.5, 1.25, 0.0]):
        assert abs(after - before) < 0.5 / FPS
    sizes = tab.sizes()
    assert sizes["before"] == 96
    assert sizes["after"] == (192 if title == "Upscale" else 96)
    assert probe(tab.page.download(tmp_path, tab.task)).kind == "video"


def test_the_border_moves_with_mouse_and_keys_and_the_arrows_step(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Upscale", "super_resolution")
    tab.bring_and_see(clip(tmp_path / "wipe.mp4"))
    tab.part("render").click()
    tab.wait_until_done()
    tab.times_in_step([0.0])
    border = tab.compare.get_by_label("Border between before and after")
    box = border.bounding_box()
    assert box is not None
    border.click(position={"x": box["width"] * 0.25, "y": box["height"] / 2})
    assert tab.shown_share() == pytest.approx(25, abs=6)
    here = tab.shown_share()
    border.press("ArrowRight")
    assert tab.shown_share() > here
    tab.compare.get_by_role("button", name="Play").press("ArrowRight")
    tab.page.page.wait_for_function(
        "(task) => document.querySelector(`#${task}-compare video`).currentTime > 0.02", arg=tab.task
    )


def test_slow_motion_is_in_step_at_its_own_speed(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Interpolate", "interpolation")
    tab.bring_and_see(clip(tmp_path / "slow.mp4", 2.0))
    tab.fill_number("slower", 2)
    tab.fill_number("start", 0.5)
    tab.part("render").click()
    tab.wait_until_done()
    for after, before in tab.times_in_step([0.5, 1.5]):
        assert abs(0.5 + after / 2 - before) < 0.5 / FPS


def test_three_seconds_are_tried_then_all_of_it_is_rendered(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Upscale", "super_resolution")
    tab.bring_and_see(clip(tmp_path / "long.mp4", 5.0))
    tab.fill_number("start", 1)
    tab.part("trial").click()
    expect(tab.part("all")).to_be_visible()
    expect(tab.part("facts")).to_contain_text("from 0:01 to 0:04")
    expect(tab.number("end")).to_have_value("")
    tab.part("all").click()
    expect(tab.part("facts")).to_contain_text("48 frames")
    expect(tab.part("all")).to_be_hidden()


def test_in_and_out_points_are_set_on_the_player_and_a_new_file_forgets_them(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Upscale", "super_resolution")
    tab.bring_and_see(clip(tmp_path / "one.mp4", 2.0))
    player = tab.part("video-source")
    player.get_by_label("In point").fill("0.5")
    expect(tab.number("start")).to_have_value("0.5")
    tab.fill_number("end", 1.5)
    expect(player.locator(".trim-words")).to_have_text("0:00.50 to 0:01.50, 0:01.00 of 0:02.00")
    tab.clear()
    tab.bring_and_see(clip(tmp_path / "two.mp4"))
    expect(tab.number("start")).to_have_value("0")
    expect(tab.number("end")).to_have_value("")


def test_several_files_are_rendered_one_after_another(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Upscale", "super_resolution")
    archive = tmp_path / "more.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(clip(tmp_path / "third.mp4"), "third.mp4")
    tab.bring(clip(tmp_path / "first.mp4"), clip(tmp_path / "second.mp4"), archive)
    listed = tab.part("video-source").locator(".source-batch button")
    expect(listed).to_have_count(3)
    expect(tab.part("estimate")).to_contain_text("3 files")
    listed.nth(1).click()
    expect(tab.part("video-source").locator(".source-name")).to_have_text("second.mp4")
    tab.part("render").click()
    expect(tab.finished.filter(has_text="third.mp4")).to_have_count(1, timeout=120_000)
    for name in ("first.mp4", "second.mp4"):
        expect(tab.finished.filter(has_text=name)).to_have_count(1)


def test_a_wrong_file_is_said_beside_the_field(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Interpolate", "interpolation")
    tab.clear()
    tab.part("render").click()
    expect(tab.message()).to_contain_text("There is no video yet. Choose a file, or drop one here.")
    bad = tmp_path / "notes.mp4"
    bad.write_text("no video", encoding="utf-8")
    tab.bring(bad)
    expect(tab.message()).to_contain_text("“notes.mp4” cannot be read as video or picture")
    tab.bring_and_see(clip(tmp_path / "good.mp4"))
    expect(tab.message()).to_be_hidden()


def test_a_film_that_browsers_cannot_play_is_seen_as_a_copy(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Upscale", "super_resolution")
    tab.bring_and_see(clip(tmp_path / "phone.mp4", how=h265(20, ten_bit=True)))
    expect(tab.part("video-source").locator("video")).to_be_visible()
    expect(tab.part("video-source")).to_contain_text("The original is rendered.")
    tab.part("render").click()
    tab.wait_until_done()
    assert tab.times_in_step([0.5]) == [[0.5, 0.5]]


def test_a_reload_finds_file_settings_and_result_again(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Upscale", "super_resolution")
    tab.bring_and_see(clip(tmp_path / "kept.mp4", 2.0))
    tab.fill_number("factor", 3)
    tab.part("render").click()
    tab.wait_until_done()
    tab.page.leave_and_come_back()
    again = FootagePage(tab.page, "Upscale", "super_resolution")
    expect(again.part("video-source").locator(".source-name")).to_have_text("kept.mp4")
    expect(again.number("factor")).to_have_value("3")
    expect(again.number("end")).to_have_value("")
    again.times_in_step([0.5])
    assert again.sizes()["after"] == 288
    again.fill_number("factor", 2)
    again.part("reuse").click()
    expect(again.number("factor")).to_have_value("3")


def test_a_render_can_be_cancelled_and_retried(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Upscale", "super_resolution")
    tab.bring_and_see(clip(tmp_path / "slow.mp4"))
    tab.part("advanced").get_by_role("button").first.click()
    tab.fill_number("pause", 1)
    tab.part("render").click()
    expect(tab.part("screen").get_by_alt_text("Preview of the video so far")).to_be_visible()
    tab.part("cancel").click()
    expect(tab.part("screen")).to_contain_text("Cancelled")
    tab.part("retry").click()
    expect(tab.part("cancel")).to_be_visible()
    tab.part("cancel").click()
    expect(tab.part("screen")).to_contain_text("Cancelled")
    tab.fill_number("pause", 0)


def test_own_weights_are_chosen_and_other_files_refused(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = FootagePage(open_page(square_studio), "Upscale", "super_resolution")
    tab.part("advanced").get_by_role("button").first.click()
    (tmp_path / "bad.pth").write_bytes(b"pickle")
    tab.choose("weights-choose", tmp_path / "bad.pth")
    expect(tab.message("weights")).to_contain_text("“bad.pth” is not a file of safetensors.")
    save_file({"body.0.weight": np.zeros((2, 3), np.float32)}, tmp_path / "mine.safetensors")
    tab.choose("weights-choose", tmp_path / "mine.safetensors")
    expect(tab.part("weights-shown")).to_contain_text("mine.safetensors")
    expect(tab.message("weights")).to_be_hidden()
    tab.part("weights-remove").click()
    expect(tab.part("weights-shown")).not_to_contain_text("mine.safetensors")


def test_one_picture_turns_into_another(square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path) -> None:
    tab = FootagePage(open_page(square_studio), "Interpolate", "interpolation")
    tab.clear()
    tab.bring_and_see(picture(tmp_path / "first.png"))
    tab.part("morph").get_by_role("button").first.click()
    tab.bring_and_see(picture(tmp_path / "second.png", (20, 60, 200)), field="second")
    tab.part("render").click()
    tab.wait_until_done()
    expect(tab.compare.locator("video")).to_have_count(1)
    expect(tab.compare.locator(".compare-wipe")).to_have_count(0)
    tab.clear("second")
    expect(tab.part("second-drop")).to_be_visible()


def test_a_picture_is_compared_with_the_larger_one_on_a_phone(
    square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(square_studio, width=390, height=844)
    tab = FootagePage(page, "Upscale", "super_resolution")
    tab.clear()
    tab.bring_and_see(picture(tmp_path / "photo.png"))
    tab.part("render").click()
    tab.wait_until_done()
    expect(tab.compare.locator("img")).to_have_count(2)
    assert not page.scrolls_sideways()
