"""A studio, Debian's Chromium, and pages that watch for console errors and for requests to other hosts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.studio_page import StudioPage
from tests.studio.moving_square.running import ROOT, RunningStudio, running_studio

if TYPE_CHECKING:
    from engines.metrics.adherence import Labels

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
BUNDLED_MODEL = ROOT / "assets" / "models" / "diorama" / "model_index.json"
OpenPage = Callable[..., StudioPage]
ReadClip = Callable[[npt.NDArray[np.uint8]], "Labels"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("Debian's chromium is not installed. Install it with: make chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def square_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """With the moving square: renders of known length, and failures on request.

    Each file has its own: which files share a worker depends on how long each takes, and jobs that one leaves in the
    queue must not be found by another.
    """
    with running_studio(tmp_path_factory.mktemp("square") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """As a person starts it, with the bundled model. Without it tests fail in CI and are skipped elsewhere."""
    if not BUNDLED_MODEL.is_file():
        missing(f"The bundled model is missing: {BUNDLED_MODEL}")
    with running_studio(tmp_path_factory.mktemp("real") / "home", real_engine=True) as running:
        yield running


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """`open_page(studio, width=1280, height=860, dark=False)`. Afterwards: no console error, no foreign request."""
    contexts: list[BrowserContext] = []
    opened: list[StudioPage] = []

    def open_one(studio: RunningStudio, width: int = 1280, height: int = 860, dark: bool = False) -> StudioPage:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            has_touch=width < 700,
            is_mobile=width < 700,
        )
        contexts.append(context)
        page: Page = context.new_page()
        opened.append(StudioPage(page, studio.url))
        return opened[-1]

    yield open_one
    problems = [problem for page in opened for problem in page.problems]
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the page go: the README's folder if they are to be renewed, else nowhere that lasts."""
    if os.environ.get("FRAMEWRIGHT_SCREENSHOTS") == "1":
        folder = ROOT / "assets" / "screenshots"
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    return tmp_path_factory.mktemp("screenshots")


@pytest.fixture(scope="session")
def read_clip() -> ReadClip:
    """`read_clip(frames)`: what Judge B sees. Without the judge tests fail in CI and are skipped elsewhere."""
    from engines.diorama.judge import JUDGES_FOLDER
    from engines.metrics import adherence

    folder = JUDGES_FOLDER / "b"
    if not (folder / "config.json").is_file():
        missing(f"Judge B is missing: {folder}")
    return partial(adherence.read_clip, adherence.load_judge(folder))


def missing(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
