"""Names for every control, contrast for every text, in light and in dark."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenPage
from tests.studio.moving_square.running import RunningStudio

pytestmark = pytest.mark.browser

NAMELESS = """() => [...document.querySelectorAll('input, textarea, select, button')]
    .filter((one) => one.offsetParent !== null && one.type !== 'file')
    .filter((one) => !(one.getAttribute('aria-label') || one.title || one.textContent.trim()
        || (one.labels && [...one.labels].some((label) => label.textContent.trim()))))
    .map((one) => one.outerHTML.slice(0, 120))"""

# WCAG 2.2, 1.4.3: relative luminance of the text against the first opaque ground behind it.
FAINT = """() => {
    const parts = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
    const linear = (c) => c <= 10 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const ground = (element) => { for (let one = element; one; one = one.parentElement) {
        const [r, g, b, a = 1] = parts(getComputedStyle(one).backgroundColor);
        if (a > 0.99) return [r, g, b]; } return [255, 255, 255]; };
    const found = [];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!own || element.offsetParent === null || element.closest('footer, svg, [aria-hidden=true]')) continue;
        const style = getComputedStyle(element);
        const [a, b] = [light(parts(style.color).slice(0, 3)), light(ground(element))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.6 && style.fontWeight >= 700);
        if (ratio < (large ? 3 : 4.5)) found.push(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
    return found; }"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_controls_have_names_and_texts_have_contrast(
    square_studio: RunningStudio, open_page: OpenPage, dark: bool
) -> None:
    page = open_page(square_studio, dark=dark)
    page.write_prompt("a chandelier on the beach")
    page.part("warning").locator("p").wait_for()
    for group in ("look", "quality", "advanced"):
        page.part(group).get_by_role("button").first.click()
    page.page.locator("summary", has_text="Things").click()
    page.page.wait_for_timeout(400)
    is_dark: Any = page.page.evaluate("() => document.body.classList.contains('dark')")
    assert is_dark is dark
    assert page.page.evaluate(NAMELESS) == []
    assert page.page.evaluate(FAINT) == []
    page.page.get_by_role("tab", name="Methods").click()
    page.page.locator(".paper").first.wait_for()
    assert page.page.evaluate(FAINT) == []


def test_small_screens_have_targets_that_a_finger_hits(square_studio: RunningStudio, open_page: OpenPage) -> None:
    page = open_page(square_studio, width=390, height=844)
    small = page.page.evaluate(
        """() => [...document.querySelectorAll('.workbench button, .workbench summary, #head button')]
            .filter((one) => one.offsetParent !== null && !one.classList.contains('custom-button'))
            .filter((one) => one.getBoundingClientRect().height < 40)
            .map((one) => `${one.textContent.trim()} ${one.getBoundingClientRect().height}`)"""
    )
    assert small == []
