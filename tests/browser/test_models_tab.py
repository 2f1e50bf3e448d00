"""The Models tab: what would be fetched, and whether this machine can run it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.studio.moving_square.running import RunningStudio


def test_a_model_says_what_would_be_fetched_and_whether_it_runs_here(
    square_studio: RunningStudio, open_page: OpenPage, screenshots: Path
) -> None:
    studio = open_page(square_studio)
    page = studio.page
    page.get_by_role("tab", name="Models").click()
    facts = page.locator("#models-facts")
    expect(facts).to_contain_text("on this machine")
    page.locator("#models-model input").click()
    page.get_by_role("option", name="LTX-Video").click()
    expect(facts).to_contain_text("LTX-Video Open Weights License")
    expect(facts).to_contain_text("9.0 GB of Lightricks/LTX-Video would be fetched")
    expect(page.locator("#models-width input")).to_have_value("704")
    page.locator("#models-ask").click()
    memory = page.locator("#models-memory")
    expect(memory).to_contain_text("at most:")
    expect(memory).to_contain_text("text encoder 9.5 GB (weights)")
    studio.picture(screenshots / "models.png")
