"""A queue in a folder of its own, whose jobs wait, and what stands on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from studio.files import FileServer
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.tabs.animate import AnimateTab
from studio.tabs.edit import EditTab
from studio.tabs.gallery import GalleryTab
from studio.tabs.storyboard import StoryboardTab
from studio.tabs.upscale import UpscaleTab


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobQueue]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    made = JobQueue(tmp_path / "home", worker="inline")
    yield made
    made.stop()


@pytest.fixture
def owned(queue: JobQueue) -> OwnedFiles:
    return OwnedFiles(queue)


@pytest.fixture
def gallery(queue: JobQueue, owned: OwnedFiles) -> GalleryTab:
    files = FileServer()
    with gr.Blocks():
        tabs = [kind(queue, files, owned) for kind in (UpscaleTab, AnimateTab, EditTab, StoryboardTab)]
        return GalleryTab(queue, files, owned, tabs)
