"""Each corner of the tab, with a render of known length."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenPage
from tests.studio.moving_square.running import RunningStudio

pytestmark = pytest.mark.browser


def test_chips_completions_and_unknown_words(square_studio: RunningStudio, open_page: OpenPage) -> None:
    page = open_page(square_studio)
    page.write_prompt("")
    page.page.locator("summary", has_text="Things").click()
    page.page.locator(".chips .chip", has_text="fox").first.click()
    expect(page.prompt).to_have_value("a fox")
    page.page.locator("summary", has_text="Motions").click()
    expect(page.page.locator(".chips .chip", has_text="fox").first).to_be_hidden()

    page.prompt.press_sequentially(" and a pen")
    page.page.locator(".completions .chip", has_text="penguin").click()
    expect(page.prompt).to_have_value("a fox and a penguin")
    expect(page.part("warning")).to_be_hidden()

    page.write_prompt("a chandelier on the beach")
    expect(page.part("warning")).to_contain_text("“chandelier” is not in the Diorama; LTX-Video")


def test_an_example_fills_the_prompt(square_studio: RunningStudio, open_page: OpenPage) -> None:
    page = open_page(square_studio)
    examples = page.page.locator(".example")
    if examples.count() == 0:
        pytest.fail("the empty stage offers no example; this test must run in a fresh browser")
    wanted = examples.nth(1).get_attribute("data-prompt")
    examples.nth(1).click()
    expect(page.prompt).to_have_value(wanted or "")


def test_an_error_stands_beside_its_field_and_leaves_when_it_is_mended(
    square_studio: RunningStudio, open_page: OpenPage
) -> None:
    page = open_page(square_studio)
    page.write_prompt("a fox")
    page.choose("length", "Custom")
    page.fill_number("frames", 1_000_000)
    page.render()
    frames = page.part("frames")
    expect(frames).to_contain_text("Choose frames between 1 and 2401.")
    expect(page.progress).to_have_count(0)
    page.fill_number("frames", 9)
    expect(frames).not_to_contain_text("Choose frames")


def test_menus_set_fields_and_what_was_not_trained_is_said_before_the_render(
    square_studio: RunningStudio, open_page: OpenPage
) -> None:
    page = open_page(square_studio)
    page.choose("length", "Picture, 1 frame")
    page.choose("size", "Custom")
    frames, width = (page.part(name).locator("input[type=number]") for name in ("frames", "width"))
    expect(frames).to_have_value("1")
    expect(page.part("size").locator("input")).to_have_value("Custom")
    expect(page.part("advice")).to_be_hidden()
    page.fill_number("width", 128)
    expect(page.part("advice")).to_contain_text("trained at 96 × 96, 128 × 64, 64 × 128; 128 × 96 may look worse")
    page.choose("size", "Square, 96 × 96")
    expect(width).to_have_value("96")
    expect(page.part("advice")).to_be_hidden()
    page.choose("length", "Clip, 17 frames")
    expect(frames).to_have_value("17")


def test_a_wrong_value_in_a_folded_group_is_brought_into_sight(
    square_studio: RunningStudio, open_page: OpenPage
) -> None:
    page = open_page(square_studio)
    page.write_prompt("a fox")
    page.part("advanced").get_by_role("button").first.click()
    page.fill_number("width", 97)
    page.part("advanced").get_by_role("button").first.click()
    expect(page.part("width")).to_be_hidden()
    page.render()
    expect(page.part("width")).to_be_visible()
    expect(page.part("width")).to_contain_text("in steps of 32")
    page.fill_number("width", 96)


def test_takes_can_be_picked_and_reused(square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(square_studio)
    page.write_prompt("a cat")
    page.fill_number("seed", 20)
    page.part("takes").get_by_label("4").check()
    page.part("quality").get_by_role("button").first.click()
    page.fill_number("steps", 2)
    page.render()
    takes = page.part("contact-sheet").locator(".film-frame")
    expect(takes).to_have_count(4)
    takes.nth(2).click()
    expect(takes.nth(2)).to_have_attribute("aria-pressed", "true")
    assert page.playing()["readyState"] >= 2
    file = page.download(tmp_path)
    assert "22" in file.name

    page.write_prompt("something else")
    page.fill_number("steps", 9)
    page.upload(file)
    expect(page.prompt).to_have_value("a cat")
    expect(page.part("steps").locator("input[type=number]")).to_have_value("2")

    page.part("seed").get_by_role("button", name="Roll").click()
    expect(page.part("seed").locator("input[type=number]")).not_to_have_value("20")


def test_one_frame_stands_on_the_stage_as_a_picture(square_studio: RunningStudio, open_page: OpenPage) -> None:
    page = open_page(square_studio)
    page.write_prompt("a fox that stands still")
    page.part("takes").get_by_label("1").check()
    page.choose_length("Picture, 1 frame", "One picture")
    page.render()
    page.wait_until_done()
    expect(page.part("screen").get_by_alt_text("The finished result")).to_be_visible()
    expect(page.part("video")).to_be_hidden()
    page.choose_length("Clip, 17 frames", "0.7 s of video")


def test_a_text_file_is_refused_with_words(square_studio: RunningStudio, open_page: OpenPage, tmp_path: Path) -> None:
    bad = tmp_path / "clip.mp4"
    bad.write_text("this is no video", encoding="utf-8")
    page = open_page(square_studio)
    page.upload(bad)
    toast = page.page.get_by_test_id("toast-body")
    expect(toast).to_contain_text("“clip.mp4” cannot be read as video or picture")
    expect(toast).to_contain_text("Choose a whole file in MP4, MOV, WebM, MKV, AVI, GIF or another video format")


def test_cancel_then_retry_then_the_strip(square_studio: RunningStudio, open_page: OpenPage) -> None:
    page = open_page(square_studio)
    page.write_prompt("a fox to cancel")
    page.part("takes").get_by_label("1").check()
    page.part("quality").get_by_role("button").first.click()
    page.fill_number("steps", 30)
    page.render()
    page.wait_until_step(2)
    page.part("cancel").click()
    expect(page.part("screen")).to_contain_text("Cancelled")
    page.part("retry").click()
    page.wait_until_step(2)
    page.wait_until_done()
    recent = page.part("recent").locator(".film-frame")
    expect(recent.first).to_contain_text("a fox to cancel")
    poster = recent.first.locator("video").get_attribute("poster")
    assert poster is not None
    assert page.page.request.get(poster).headers["content-type"] == "image/webp"
    expect(recent.first).to_have_attribute("aria-pressed", "true")


def test_what_is_too_large_can_be_retried_smaller(square_studio: RunningStudio, open_page: OpenPage) -> None:
    page = open_page(square_studio)
    page.write_prompt("too large a fox")
    page.part("takes").get_by_label("1").check()
    page.choose_length("Clip, 17 frames", "0.7 s of video")
    page.render()
    expect(page.part("screen")).to_contain_text("Choose fewer frames or a smaller size.")
    for smaller in ("Clip, 9 frames", "Picture, 1 frame"):
        page.part("smaller").click()
        expect(page.part("length").locator("input")).to_have_value(smaller)
        expect(page.part("screen")).to_contain_text("This render failed")
    expect(page.part("smaller")).to_be_hidden()
    expect(page.part("retry")).to_be_visible()
    page.choose_length("Clip, 17 frames", "0.7 s of video")


def test_what_is_typed_while_the_page_loads_stays_and_the_rest_comes_back(
    square_studio: RunningStudio, open_page: OpenPage
) -> None:
    page = open_page(square_studio)
    page.fill_number("seed", 4711)
    page.part("takes").get_by_label("9").check()
    page.part("quality").get_by_role("button").first.click()
    page.fill_number("steps", 7)
    page.write_prompt("the form of last time")
    expect(page.part("warning")).to_contain_text("“form”")
    held: list[Route] = []
    page.page.route("**/run/predict*", lambda route: held.append(route))
    page.leave_and_come_back()
    page.write_prompt("a fox that was typed early")
    page.part("takes").get_by_label("4").check()
    page.part("takes").get_by_label("1").check()
    page.page.wait_for_timeout(500)
    assert held, "the load event has not been answered yet"
    for route in held:
        route.continue_()
    page.page.unroute("**/run/predict*")
    page.wait_until_ready()
    expect(page.part("seed").locator("input[type=number]")).to_have_value("4711")
    page.part("quality").get_by_role("button").first.click()
    expect(page.part("steps").locator("input[type=number]")).to_have_value("7")
    expect(page.prompt).to_have_value("a fox that was typed early")
    expect(page.part("takes").get_by_label("1")).to_be_checked()


def test_a_failure_says_what_to_do_and_folds_the_log(square_studio: RunningStudio, open_page: OpenPage) -> None:
    page = open_page(square_studio)
    page.write_prompt("a broken fox")
    page.render()
    screen = page.part("screen")
    expect(screen).to_contain_text("This render failed")
    expect(screen.locator("pre")).to_be_hidden()
    screen.get_by_text("Log", exact=True).click()
    expect(screen.locator("pre")).to_contain_text("the square fell over")
    expect(page.part("retry")).to_be_visible()
